package main

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"go.yaml.in/yaml/v3"
)

// table is a result as people read it.
type table struct {
	columns []string
	rows    [][]string
}

func outputFlag(cmd *cobra.Command, format *string) {
	cmd.Flags().StringVarP(format, "output", "o", "table", "table, json, csv or yaml")
}

// print writes a result: data on standard output, in the format asked for. The
// names in JSON and YAML are the API's.
func print(w io.Writer, format string, value any, t table) error {
	switch format {
	case "table":
		tw := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
		_, _ = fmt.Fprintln(tw, strings.ToUpper(strings.Join(t.columns, "\t"))) // Flush tells
		for _, row := range t.rows {
			_, _ = fmt.Fprintln(tw, strings.Join(row, "\t"))
		}
		return tw.Flush()
	case "csv":
		cw := csv.NewWriter(w)
		_ = cw.Write(t.columns) // Error tells
		_ = cw.WriteAll(t.rows)
		return cw.Error()
	case "json":
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		e.SetEscapeHTML(false)
		return e.Encode(value)
	case "yaml":
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		var node yaml.Node // JSON is YAML; a node keeps the order of the names
		if err := yaml.Unmarshal(text, &node); err != nil {
			return err
		}
		plainStyle(&node)
		e := yaml.NewEncoder(w)
		e.SetIndent(2)
		return e.Encode(&node)
	}
	return usageError{fmt.Errorf("the output format is table, json, csv or yaml, not %q", format)}
}

// plainStyle takes JSON's braces and quotes away.
func plainStyle(n *yaml.Node) {
	n.Style = 0
	for _, c := range n.Content {
		plainStyle(c)
	}
}

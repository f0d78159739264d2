package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func configCommand(w world) *cobra.Command {
	check := &cobra.Command{
		Use: "check", Short: "Report every mistake in the configuration", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := configuration(cmd, w); err != nil {
				return err
			}
			_, err := fmt.Fprintln(w.out, "the configuration is good")
			return err
		},
	}
	settingFlags(check)

	var origin bool
	var format string
	show := &cobra.Command{
		Use: "show", Short: "Print every setting", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			t := table{columns: []string{"setting", "value"}}
			if origin {
				t.columns = append(t.columns, "origin")
			}
			values := map[string]string{}
			for _, s := range app.Settings {
				row := []string{s.Name, s.Get(c)}
				if origin {
					row = append(row, c.Origins[s.Name])
				}
				t.rows = append(t.rows, row)
				values[s.Name] = s.Get(c)
			}
			return print(w.out, format, values, t)
		},
	}
	settingFlags(show)
	show.Flags().BoolVar(&origin, "origin", false, "say where each value comes from")
	outputFlag(show, &format)
	return group("config", "Check and show the configuration", check, show)
}

package main

import (
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

// documentCommand is about the GraphQL documents that an application trusts.
func documentCommand(w world, one func(app.ApplicationView) table) *cobra.Command {
	add := &cobra.Command{Use: "add APP FILE", Short: "Trust the GraphQL document in a file, byte by byte", Args: cobra.ExactArgs(2)}
	only := &cobra.Command{Use: "only APP on|off", Short: "Whether the application runs nothing but its trusted documents", Args: cobra.ExactArgs(2)}
	return group("document", "GraphQL documents that an application trusts",
		adminCommand(w, add, "document.add", func(args []string) (any, error) {
			text, err := os.ReadFile(args[1])
			return app.DocumentAdd{ID: args[0], Text: string(text)}, err
		}, func(d app.DocumentView) table { return documents([]app.DocumentView{d}) }),
		adminCommand(w, &cobra.Command{Use: "list APP", Short: "List the trusted documents", Args: cobra.ExactArgs(1)}, "document.list", named, documents),
		adminCommand(w, &cobra.Command{Use: "remove APP HASH", Short: "Trust a document no longer", Args: cobra.ExactArgs(2)}, "document.remove",
			func(args []string) (any, error) { return app.DocumentNamed{ID: args[0], Hash: args[1]}, nil }, documents),
		adminCommand(w, only, "document.only", func(args []string) (any, error) {
			switch args[1] {
			case "on", "off":
				return app.DocumentsOnly{ID: args[0], Only: args[1] == "on"}, nil
			}
			return nil, usageError{fmt.Errorf("%q is neither on nor off", args[1])}
		}, one),
	)
}

func documents(list []app.DocumentView) table {
	t := table{columns: []string{"sha256Hash", "bytes", "added"}}
	for _, d := range list {
		t.rows = append(t.rows, []string{d.Hash, strconv.Itoa(len(d.Text)), moment(&d.Added)})
	}
	return t
}

package main

import (
	"os"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

// appKeysCommand is about the keys of applications that have no secret.
func appKeysCommand(w world, one func(app.ApplicationView) table) *cobra.Command {
	var file string
	set := &cobra.Command{
		Use: "set APP", Short: "Replace the public keys of an application; the old ones and their tokens stop at once", Args: cobra.ExactArgs(1),
	}
	set.Flags().StringVar(&file, "jwks", "", "file with the new public keys (JWKS), or certificates (x5c) (required)")
	need(set, "jwks")
	return group("keys", "Keys of an application that has no secret", adminCommand(w, set, "app.keys.set", func(args []string) (any, error) {
		text, err := os.ReadFile(file)
		return app.AppKeys{ID: args[0], Keys: string(text)}, err
	}, one))
}

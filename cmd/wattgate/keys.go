package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func keysCommand(w world) *cobra.Command {
	var in app.KeyRotate
	rotate := &cobra.Command{
		Use: "rotate", Short: "Publish a new signing key, which signs when verifiers can know it",
		Long: "Publish a new signing key. It signs when every verifier that caches the published keys can know it (key-publish,\n" +
			"at least twice jwks-max-age); the old one stays published until its last token has expired.\n\n" +
			"--now is for emergencies: a new key signs at once and all others are dropped at once. Every token there is dies,\n" +
			"and verifiers that cache the published keys refuse new tokens until they fetch them again.",
	}
	rotate.Flags().BoolVar(&in.Now, "now", false, "emergency: drop all other keys and their tokens at once")
	return group("keys", "Keys that sign tokens",
		adminCommand(w, &cobra.Command{Use: "list", Short: "List all signing keys"}, "keys.list", nothing, keyTable),
		adminCommand(w, rotate, "keys.rotate", func([]string) (any, error) { return in, nil }, func(list []app.KeyView) table {
			sayWhatSigns(w, list)
			return keyTable(list)
		}),
	)
}

// sayWhatSigns says which key signs, and which one will.
func sayWhatSigns(w world, list []app.KeyView) {
	for _, k := range list {
		switch k.State {
		case "active":
			_, _ = fmt.Fprintf(w.err, "%s signs since %s.\n", k.ID, moment(k.ActiveSince)) // nobody is left to tell
		case "published":
			_, _ = fmt.Fprintf(w.err, "%s is published and signs from %s.\n", k.ID, moment(k.SignsFrom)) // nobody is left to tell
		}
	}
}

func keyTable(list []app.KeyView) table {
	t := table{columns: []string{"kid", "algorithm", "state", "created", "active since", "signs from", "removed after"}}
	for _, k := range list {
		t.rows = append(t.rows, []string{
			k.ID, k.Algorithm, k.State, moment(&k.Created), moment(k.ActiveSince), moment(k.SignsFrom), moment(k.RemovedAfter),
		})
	}
	return t
}

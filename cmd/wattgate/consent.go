package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func consentCommand(w world) *cobra.Command {
	var filter app.ConsentList
	list := &cobra.Command{Use: "list", Short: "List what customers have allowed applications to read, newest first"}
	list.Flags().StringVar(&filter.App, "app", "", "only given to this application, by client_id or name")
	list.Flags().StringVar(&filter.User, "user", "", "only given by this user, by id, UUID or e-mail address")
	revoke := &cobra.Command{Use: "revoke CONSENT", Short: "End a consent and all tokens under it at once", Args: cobra.ExactArgs(1)}
	return group("consent", "What customers have allowed applications to read",
		adminCommand(w, list, "consent.list", func([]string) (any, error) { return filter, nil }, consents),
		adminCommand(w, revoke, "consent.revoke", named, func(c app.ConsentView) table { return consents([]app.ConsentView{c}) }),
	)
}

func consents(list []app.ConsentView) table {
	t := table{columns: []string{"consent", "status", "application", "user", "permissions", "supply points", "finest", "history from", "valid until", "purpose"}}
	for _, c := range list {
		finest := "as measured"
		if c.Finest > 0 {
			finest = (time.Duration(c.Finest) * time.Second).String()
		}
		t.rows = append(t.rows, []string{
			string(c.ID), string(c.Status), string(c.Application), string(c.User), strings.Join(c.Permissions, " "), strings.Join(c.SupplyPoints, " "),
			finest, c.HistoryFrom.String(), moment(&c.ValidUntil), c.Purpose,
		})
	}
	return t
}

package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func serveCommand(w world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "serve", Short: "Run the server", Args: cobra.NoArgs,
		Long: "Run the server on a data folder. The first run makes the folder, the key file, the database and a\n" +
			"signing key, and says what to do next. SIGTERM lets the requests under way finish and ends it.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			a, err := app.Open(cmd.Context(), c, app.World{Now: w.now, Log: w.err})
			if err != nil {
				return err
			}
			err = a.Serve(cmd.Context(), func(u app.URLs) error {
				if a.FirstRun {
					firstSteps(w, c, u)
				}
				return nil
			})
			return errors.Join(err, a.Close(cmd.Context()))
		},
	}
	settingFlags(cmd)
	return cmd
}

// firstSteps says what to do with an empty installation.
func firstSteps(w world, c *app.Config, u app.URLs) {
	_, _ = fmt.Fprintf(w.out, `Wattgate serves %[1]s, a new %[2]s installation in %[3]s.

Back up %[3]s/wattgate.key apart from the database: without it every secret is dead.

Next, in another terminal:
  wattgate partner create --data %[3]s --name 'Your brand'
  wattgate role check --data %[3]s
  wattgate app create --data %[3]s --partner 'Your brand' --name 'First application' --role PARTNER_INTEGRATION
  wattgate user create --data %[3]s --partner 'Your brand' --customer --email customer@example.com --first-name Ada --surname Byron
  wattgate import --data %[3]s --partner 'Your brand' FILE...   # NEM12; Green Button wants --property
`, u.Auth, c.Environment, c.Data) // nobody is left to tell
}

package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func dbCommand(w world) *cobra.Command {
	return group("db", "The database", dbStatusCommand(w), dbMigrateCommand(w), dbDistributeCommand(w))
}

func dbStatusCommand(w world) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use: "status", Short: "Show the database and its version; changes nothing", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			v, err := app.InspectDatabase(cmd.Context(), c)
			if err != nil {
				return err
			}
			return print(w.out, format, v, databaseTable(v))
		},
	}
	settingFlags(cmd, "data", "database")
	outputFlag(cmd, &format)
	return cmd
}

func databaseTable(v app.DatabaseView) table {
	pending := "none"
	if len(v.Pending) > 0 {
		pending = strings.Join(v.Pending, " ")
	}
	return table{
		columns: []string{"engine", "database", "server", "version", "pending", "bytes", "distributed"},
		rows:    [][]string{{v.Engine, v.Database, v.Server, fmt.Sprintf("%d of %d", v.Version, v.Known), pending, fmt.Sprint(v.Bytes), fmt.Sprint(v.Distributed)}},
	}
}

func dbMigrateCommand(w world) *cobra.Command {
	var dry bool
	cmd := &cobra.Command{
		Use: "migrate", Short: "Bring the database to this program's version, as serve does at its start", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			v, err := app.InspectDatabase(cmd.Context(), c)
			if err != nil {
				return err
			}
			switch {
			case len(v.Pending) == 0:
				_, err = fmt.Fprintf(w.out, "The database has version %d: there is nothing to do.\n", v.Version)
				return err
			case dry:
				_, err = fmt.Fprintf(w.out, "Nothing was changed. These would run: %s\n", strings.Join(v.Pending, " "))
				return err
			}
			a, err := app.Open(cmd.Context(), c, app.World{Now: w.now, Log: w.err})
			if err != nil {
				return err
			}
			if err := a.Close(context.WithoutCancel(cmd.Context())); err != nil {
				return err
			}
			_, err = fmt.Fprintf(w.out, "The database has version %d now; it had %d.\n", v.Known, v.Version)
			return err
		},
	}
	settingFlags(cmd, "data", "database")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only say what would run")
	return cmd
}

func dbDistributeCommand(w world) *cobra.Command {
	cmd := &cobra.Command{
		Use: "distribute", Short: "Spread the measurements over the machines of Citus", Args: cobra.NoArgs,
		Long: "Spread the measurements over the machines of Citus, by their channel: all that belongs to one lies on one machine.\n" +
			"Who may do what stays with the coordinator. What is there already moves along; doing it again does nothing.",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			c, err := configuration(cmd, w)
			if err != nil {
				return err
			}
			a, err := app.Open(cmd.Context(), c, app.World{Now: w.now, Log: w.err})
			if errors.Is(err, app.ErrBusy) {
				return fmt.Errorf("%w: stop all nodes before their database is distributed", err)
			}
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, a.Close(context.WithoutCancel(cmd.Context()))) }()
			spread, err := a.DistributeDatabase(cmd.Context())
			if err != nil {
				return err
			}
			if len(spread) == 0 {
				_, err = fmt.Fprintln(w.out, "The measurements are distributed already.")
				return err
			}
			_, err = fmt.Fprintf(w.out, "Distributed by channel: %s\n", strings.Join(spread, " "))
			return err
		},
	}
	settingFlags(cmd, "data", "database")
	return cmd
}

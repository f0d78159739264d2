package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

// do runs one administrative verb: beside a live server through its admin
// socket, otherwise on the data folder itself.
func do[Out any](cmd *cobra.Command, w world, verb string, in any) (Out, error) {
	var out Out
	err := withAdmin(cmd, w, func(ctx context.Context, a *app.Admin) error { return a.Do(ctx, verb, in, &out) })
	return out, err
}

func withAdmin(cmd *cobra.Command, w world, f func(context.Context, *app.Admin) error) error {
	c, err := configuration(cmd, w)
	if err != nil {
		return err
	}
	admin, err := app.Dial(c, func() (*app.App, error) {
		return app.Open(cmd.Context(), c, app.World{Now: w.now, Evidence: cmd.Parent().Name() == "audit"})
	})
	if err != nil {
		return err
	}
	return errors.Join(f(cmd.Context(), admin), admin.Close())
}

// adminCommand is a command that runs a verb and prints what it returns.
func adminCommand[Out any](w world, cmd *cobra.Command, verb string, in func(args []string) (any, error), show func(Out) table) *cobra.Command {
	var format string
	if cmd.Args == nil {
		cmd.Args = cobra.NoArgs
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := missing(cmd); err != nil {
			return err
		}
		argument, err := in(args)
		if err != nil {
			return err
		}
		out, err := do[Out](cmd, w, verb, argument)
		if err != nil {
			return err
		}
		return print(w.out, format, out, show(out))
	}
	settingFlags(cmd, "data", "database")
	outputFlag(cmd, &format)
	return cmd
}

// need marks flags without which a command makes no sense.
func need(cmd *cobra.Command, flags ...string) {
	cmd.Annotations = map[string]string{"need": strings.Join(flags, " ")}
}

// missing returns a usage error that names the needed flags that are not there.
func missing(cmd *cobra.Command) error {
	var list []string
	for _, name := range strings.Fields(cmd.Annotations["need"]) {
		if !cmd.Flags().Changed(name) {
			list = append(list, "--"+name)
		}
	}
	if len(list) > 0 {
		return usageError{fmt.Errorf("%s needs %s", cmd.CommandPath(), strings.Join(list, ", "))}
	}
	return nil
}

// readPassword reads a password from a file, or from standard input for "-". A
// password is never a flag: those show in the list of processes.
func readPassword(w world, path string) (string, error) {
	if path == "" {
		return "", nil
	}
	var b []byte
	var err error
	if path == "-" {
		b, err = io.ReadAll(io.LimitReader(w.in, 4096))
	} else {
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return "", err
	}
	return strings.TrimRight(string(b), "\r\n"), nil
}

// tenYears is the longest span of time that anybody can mean.
const tenYears = 10 * 365 * 24 * time.Hour

// seconds reads a span of time such as 90s, 24h, 7d or 12mo into seconds.
func seconds(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	if text == "never" {
		return -1, nil
	}
	for suffix, unit := range map[string]time.Duration{"d": 24 * time.Hour, "mo": 730 * time.Hour, "y": 365 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(text, suffix); ok {
			var n int64
			if _, err := fmt.Sscanf(number, "%d", &n); err != nil || fmt.Sprint(n) != number || n <= 0 || n > int64(tenYears/unit) {
				return 0, usageError{fmt.Errorf("%q is not a span of time such as 24h, 7d or 12mo", text)}
			}
			return int64((time.Duration(n) * unit) / time.Second), nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < time.Second || d > tenYears {
		return 0, usageError{fmt.Errorf("%q is not a span of time such as 24h, 7d or 12mo", text)}
	}
	return int64(d / time.Second), nil
}

// moment shows an instant in UTC, or nothing.
func moment(t *time.Time) string {
	if t == nil {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04Z")
}

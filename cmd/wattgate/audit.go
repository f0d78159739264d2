package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func auditCommand(w world) *cobra.Command {
	return group("audit", "Who did what to what, and has anybody touched the answer since",
		auditTailCommand(w), auditSearchCommand(w), auditExportCommand(w), auditVerifyCommand(w))
}

func auditTailCommand(w world) *cobra.Command {
	in := app.AuditList{Newest: true}
	var follow bool
	cmd := &cobra.Command{Use: "tail", Short: "Show the newest entries"}
	cmd.Flags().IntVarP(&in.Limit, "number", "n", 20, "how many entries")
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on with what comes, as lines of JSON, beside a running server")
	adminCommand(w, cmd, "audit.list", func([]string) (any, error) {
		if in.Limit < 1 {
			return nil, usageError{fmt.Errorf("-n is one or more")}
		}
		return in, nil
	}, entries)
	once := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !follow {
			return once(cmd, args)
		}
		return withAdmin(cmd, w, func(ctx context.Context, a *app.Admin) error { return followAudit(ctx, w, a, in) })
	}
	return cmd
}

// followAudit asks every second for what has come.
func followAudit(ctx context.Context, w world, a *app.Admin, in app.AuditList) error {
	if !a.Live() {
		return usageError{fmt.Errorf("-f needs a running server: without one nothing comes")}
	}
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		var list []app.AuditEntryView
		if err := a.Do(ctx, "audit.list", in, &list); err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		if err := writeEntries(w, list); err != nil {
			return err
		}
		if n := len(list); n > 0 {
			in = app.AuditList{First: list[n-1].Number + 1, Limit: 1000}
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

func auditSearchCommand(w world) *cobra.Command {
	in := app.AuditList{Newest: true}
	var from, to string
	cmd := &cobra.Command{
		Use: "search", Short: "Show the newest entries that fit",
		Long: "Show the newest entries that fit, oldest first. The log keeps no addresses but keyed pseudonyms of them;\n" +
			"an address that is searched for is turned into its pseudonym.",
	}
	f := cmd.Flags()
	f.StringVar(&in.Action, "action", "", "the act, such as application.create; * stands for anything: 'user.*'")
	f.StringVar(&in.Client, "client", "", "application that acts or is acted on, by client_id or name")
	f.StringVar(&in.User, "user", "", "user who acts or is acted on, by id, UUID or e-mail address")
	f.StringVar(&in.Object, "object", "", "what was acted on")
	f.StringVar(&in.Partner, "partner", "", "partner by id or name")
	f.StringVar(&from, "from", "", "at or after: 2026-03-02 (UTC) or 2026-03-02T15:04:05Z")
	f.StringVar(&to, "to", "", "before, written the same")
	f.StringVar(&in.Address, "address", "", "address that the act came from")
	f.IntVar(&in.Limit, "limit", 100, "at most so many entries")
	return adminCommand(w, cmd, "audit.list", func([]string) (any, error) {
		var err error
		if in.From, err = instant("from", from); err == nil {
			in.To, err = instant("to", to)
		}
		if err == nil && in.Limit < 1 {
			err = usageError{fmt.Errorf("--limit is one or more")}
		}
		return in, err
	}, entries)
}

// instant reads a day, which begins in UTC, or an instant.
func instant(flag, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, usageError{fmt.Errorf("--%s: %q is neither a day such as 2026-03-02 nor an instant such as 2026-03-02T15:04:05Z", flag, text)}
}

func auditExportCommand(w world) *cobra.Command {
	var first int64
	cmd := &cobra.Command{
		Use: "export", Short: "Write all entries as lines of JSON, with the hashes of their leaves", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withAdmin(cmd, w, func(ctx context.Context, a *app.Admin) error {
				in := app.AuditList{First: first, Limit: 1000}
				for {
					var list []app.AuditEntryView
					if err := a.Do(ctx, "audit.list", in, &list); err != nil {
						return err
					}
					if err := writeEntries(w, list); err != nil || len(list) < in.Limit {
						return err
					}
					in.First = list[len(list)-1].Number + 1
				}
			})
		},
	}
	cmd.Flags().Int64Var(&first, "first", 0, "number of the entry at which to begin")
	settingFlags(cmd, "data", "database")
	return cmd
}

func writeEntries(w world, list []app.AuditEntryView) error {
	out := bufio.NewWriter(w.out)
	lines := json.NewEncoder(out)
	lines.SetEscapeHTML(false)
	for _, e := range list {
		if err := lines.Encode(e); err != nil {
			return err
		}
	}
	return out.Flush()
}

func auditVerifyCommand(w world) *cobra.Command {
	var path, format string
	cmd := &cobra.Command{
		Use: "verify", Short: "Reproduce the tree of the log, and hold it against every checkpoint", Args: cobra.NoArgs,
		Long: "Reproduce the tree of the log from its entries, hold it against the hashes stored with them, against the\n" +
			"checkpoint in the data folder, the audit-witness file and --checkpoint. Exit code 1 if anything was changed,\n" +
			"dropped, put in another order or cut off.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			text, err := readCheckpoints(path)
			if err != nil {
				return err
			}
			r, err := do[app.AuditReport](cmd, w, "audit.verify", app.AuditVerify{Checkpoints: text})
			if err != nil {
				return err
			}
			if err := print(w.out, format, r, verified(r)); err != nil || len(r.Faults) == 0 {
				return err
			}
			for _, f := range r.Faults {
				_, _ = fmt.Fprintf(w.err, "%d: %s\n", f.Number, f.Problem) // the exit code tells, too
			}
			return fmt.Errorf("the audit log is not what was recorded: %d findings", len(r.Faults)+r.More)
		},
	}
	cmd.Flags().StringVar(&path, "checkpoint", "", "file of checkpoints that somebody else has kept")
	settingFlags(cmd, "data", "database")
	outputFlag(cmd, &format)
	return cmd
}

// readCheckpoints reads the end of a file: a checkpoint is about everything
// before it, so that older ones tell nothing new.
func readCheckpoints(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fileError{err}
	}
	const most = 256 << 10
	if len(b) > most {
		_, rest, _ := strings.Cut(string(b[len(b)-most:]), "\n\n")
		_, rest, _ = strings.Cut(rest, "\n")
		return rest, nil
	}
	return string(b), nil
}

func verified(r app.AuditReport) table {
	return table{columns: []string{"entries", "vouched", "checkpoints", "findings", "root", "verifier"}, rows: [][]string{{
		strconv.FormatInt(r.Entries, 10), strconv.FormatInt(r.Vouched, 10), strconv.Itoa(r.Checkpoints),
		strconv.Itoa(len(r.Faults) + r.More), r.Root, r.Verifier,
	}}}
}

func entries(list []app.AuditEntryView) table {
	t := table{columns: []string{"number", "at", "action", "object", "partner", "client", "user", "by", "address", "detail"}}
	for _, e := range list {
		t.rows = append(t.rows, []string{
			strconv.FormatInt(e.Number, 10), e.At.UTC().Format("2006-01-02 15:04:05Z"), e.Action, e.Object, string(e.Partner),
			string(e.Client), string(e.User), e.By, e.Address, e.Detail,
		})
	}
	return t
}

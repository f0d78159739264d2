package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func importCommand(w world) *cobra.Command {
	var in app.ImportRequest
	var format string
	cmd := &cobra.Command{
		Use: "import FILE...", Short: "Take in meter files: NEM12, NEM13, Green Button (ESPI), CDR, CSV, NDJSON, DSMR P1", Args: cobra.MinimumNArgs(1),
		Long: "Take in meter files. A file is taken or refused as a whole; a refused one stores nothing and names file,\n" +
			"line and reason. Importing twice changes nothing and says so, so an interrupted import is run again.\n\n" +
			"What a file is, its content says, not its name:\n\n" +
			"  NEM12             interval readings; begins with 100,NEM12\n" +
			"  NEM13             register reads; begins with 100,NEM13\n" +
			"  Green Button      interval readings; an Atom feed of ESPI (XML)\n" +
			"  CDR               interval readings; an answer of the Consumer Data Right (JSON)\n" +
			"  CSV               our own; begins with supply_point,register,direction,start_local,...\n" +
			"  NDJSON            our own; an object of JSON in each line\n" +
			"  DSMR P1           register reads; telegrams of a Dutch or Belgian meter\n\n" +
			"Any of these may be in a zip archive (at most 100 files), or be packed by gzip or zstd.",
		RunE: func(cmd *cobra.Command, files []string) error {
			reports := []app.ImportReport{}
			err := withAdmin(cmd, w, func(ctx context.Context, a *app.Admin) error {
				var refused error
				for _, path := range files {
					report, err := importFile(ctx, w, a, in, path)
					if err != nil {
						refused = errors.Join(refused, fileError{err})
						continue
					}
					reports = append(reports, report)
				}
				return refused
			})
			if len(reports) == 0 && format == "table" {
				return err
			}
			return errors.Join(err, print(w.out, format, reports, imported(reports)))
		},
	}
	settingFlags(cmd, "data", "database")
	cmd.Flags().StringVar(&in.Partner, "partner", "", "partner that owns what is created; needed when there are several and no --property")
	cmd.Flags().StringVar(&in.Property, "property", "", "property that the channels of the file belong to")
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why readings are corrected, for the history and the audit log; at most 200 bytes")
	outputFlag(cmd, &format)
	return cmd
}

// fileError is a refused file. Its exit code is 1, whatever the reason, also
// where the partner or property that it names is not found.
type fileError struct{ error }

// importFile imports one file, with a progress bar on a terminal.
func importFile(ctx context.Context, w world, a *app.Admin, in app.ImportRequest, path string) (app.ImportReport, error) {
	f, err := os.Open(path)
	if err != nil {
		return app.ImportReport{}, err
	}
	defer func() { _ = f.Close() }() // only read from
	info, err := f.Stat()
	if err != nil {
		return app.ImportReport{}, err
	}
	if info.IsDir() {
		return app.ImportReport{}, fmt.Errorf("%s is a folder", path)
	}
	in.Name = path
	bar := newProgress(w, path, info.Size())
	report, err := a.Import(ctx, in, f, info.Size(), bar.at)
	bar.end()
	return report, err
}

func imported(reports []app.ImportReport) table {
	t := table{columns: []string{"file", "supply point", "property", "what"}}
	for _, r := range reports {
		for i, p := range r.SupplyPoints {
			what := r.Summary
			if i > 0 {
				what = ""
			}
			t.rows = append(t.rows, []string{r.File, p.SupplyPoint, string(p.Property), what})
		}
		if len(r.SupplyPoints) == 0 {
			t.rows = append(t.rows, []string{r.File, "", "", r.Summary})
		}
	}
	return t
}

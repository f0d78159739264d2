package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// exportRequest is a file of readings that somebody wants.
type exportRequest struct {
	from, to, format, by, direction, register string
	out                                       string
}

func exportCommand(w world) *cobra.Command {
	var in exportRequest
	cmd := &cobra.Command{
		Use: "export SUPPLY_POINT --from DAY --to DAY", Short: "Fetch the readings of a supply point as a file", Args: cobra.ExactArgs(1),
		Long: "Fetch the readings of a supply point, named MARKET:identifier, from one day to another, both included, as days of\n" +
			"its zone. A file that is named with --out is there when all of it has come, and otherwise not at all.\n\n" +
			"The server and the credentials come from WATTGATE_AUTH_URL, WATTGATE_GRAPHQL_URL, WATTGATE_CLIENT_ID and\n" +
			"WATTGATE_CLIENT_SECRET.",
		RunE: func(cmd *cobra.Command, args []string) error {
			query, err := in.query()
			if err != nil {
				return usageError{err}
			}
			c, err := newClient(w)
			if err != nil {
				return err
			}
			return in.fetch(cmd.Context(), c, args[0], query, w.out)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&in.from, "from", "", "the first day, YYYY-MM-DD")
	flags.StringVar(&in.to, "to", "", "the last day, YYYY-MM-DD")
	flags.StringVar(&in.format, "format", string(meterfile.CSV), "csv, ndjson, json, xml (Green Button), nem12, cdr.json or parquet")
	flags.StringVar(&in.by, "by", "", "add up: FIVE_MIN, FIFTEEN_MIN, THIRTY_MIN, HOUR, DAY, WEEK, MONTH, QUARTER or YEAR; or POINT_IN_TIME, what the registers showed; default: as stored")
	flags.StringVar(&in.direction, "direction", "", "CONSUMPTION or GENERATION; default: both")
	flags.StringVar(&in.register, "register", "", "one register; default: all but those of reactive energy")
	flags.StringVar(&in.out, "out", "", "file to write; default: standard output")
	return cmd
}

// query checks what can be checked here, and returns the parameters.
func (e exportRequest) query() (url.Values, error) {
	formats := []meterfile.Format{
		meterfile.CSV, meterfile.NDJSON, meterfile.JSON, meterfile.ESPI, meterfile.NEM12, meterfile.CDR, meterfile.Parquet,
	}
	if !slices.Contains(formats, meterfile.Format(e.format)) {
		return nil, fmt.Errorf("--format is %s: want one of %s", domain.Quote(e.format), strings.Trim(fmt.Sprint(formats), "[]"))
	}
	query := url.Values{}
	for name, day := range map[string]string{"from": e.from, "to": e.to} {
		if _, err := domain.ParseDate(day); err != nil {
			return nil, fmt.Errorf("--%s: %w", name, err)
		}
		query.Set(name, day)
	}
	for name, value := range map[string]string{"by": e.by, "direction": e.direction, "register": e.register} {
		if value != "" {
			query.Set(name, value)
		}
	}
	return query, nil
}

// fetch writes the file to where it was asked for.
func (e exportRequest) fetch(ctx context.Context, c *client, point string, query url.Values, stdout io.Writer) error {
	answer, err := c.get(ctx, "/v1/measurements/"+url.PathEscape(point+"."+e.format), query)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }() // only read from
	if e.out != "" {
		return writeWhole(e.out, answer.Body)
	}
	if _, err := io.Copy(stdout, answer.Body); err != nil {
		return fmt.Errorf("the file is not complete: %w", err)
	}
	return nil
}

// writeWhole writes a file that is there as a whole or, after an error, as it was
// before. It can be read by its owner only: what is in it is personal.
func writeWhole(path string, content io.Reader) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	_, err = io.Copy(f, content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s is not written: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}

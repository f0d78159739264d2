package postgres

import (
	"encoding/json"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgtype"
)

// micros writes an instant down: microseconds since 1970, 0 for none.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// instant reads what micros wrote.
func instant(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// at scans into t what micros wrote.
func at(t *time.Time) pgtype.Int64Scanner { return instantScanner{t} }

type instantScanner struct{ t *time.Time }

// ScanInt64 reads NULL as no instant.
func (s instantScanner) ScanInt64(v pgtype.Int8) error {
	*s.t = instant(v.Int64)
	return nil
}

// span scans into d a number of microseconds.
func span(d *time.Duration) pgtype.Int64Scanner { return spanScanner{d} }

type spanScanner struct{ d *time.Duration }

// ScanInt64 reads NULL as no time.
func (s spanScanner) ScanInt64(v pgtype.Int8) error {
	*s.d = time.Duration(v.Int64) * time.Microsecond
	return nil
}

// optional writes an empty text as NULL, which refers to nothing.
func optional[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
}

// maybe scans into s what optional wrote.
func maybe[T ~string](s *T) pgtype.TextScanner { return maybeScanner[T]{s} }

type maybeScanner[T ~string] struct{ s *T }

// ScanText reads NULL as the empty text.
func (s maybeScanner[T]) ScanText(v pgtype.Text) error {
	*s.s = T(v.String)
	return nil
}

// scanText and scanNumber read the only column of a row.
func scanText(row pgx.CollectableRow) (text string, err error) {
	err = row.Scan(&text)
	return text, err
}

// scanNumber reads NULL as 0.
func scanNumber(row pgx.CollectableRow) (int64, error) {
	var n pgtype.Int8
	err := row.Scan(&n)
	return n.Int64, err
}

// words writes a set of names.
func words(names []string) string { return strings.Join(names, " ") }

// list writes a list of any texts.
func list(texts []string) string {
	if len(texts) == 0 {
		return "[]"
	}
	b, _ := json.Marshal(texts) // texts always marshal
	return string(b)
}

// parseList reads what list wrote; nil where it is empty.
func parseList(s string) (texts []string, err error) {
	if s == "[]" {
		return nil, nil
	}
	err = json.Unmarshal([]byte(s), &texts)
	return texts, err
}

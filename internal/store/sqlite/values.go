package sqlite

import (
	"encoding/json"
	"strings"
	"time"
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

// optional writes an empty text as NULL, which refers to nothing.
func optional[T ~string](s T) any {
	if s == "" {
		return nil
	}
	return string(s)
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

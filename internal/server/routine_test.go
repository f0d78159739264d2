package server

import (
	"bytes"
	"io"
	"log/slog"
	"testing"
	"time"
)

// TestRoutineLinesAreSlogs writes the same events both ways.
func TestRoutineLinesAreSlogs(t *testing.T) {
	at := time.Date(2026, 3, 2, 12, 0, 0, 120_000_000, time.UTC)
	l := line{method: "POST", path: "/oauth2/token", id: "abc", address: "127.0.0.1", status: 200, bytes: 849, at: at, took: 216 * time.Microsecond}
	odd, empty := l, line{at: at}
	odd.path = "/a\"b\\\u00e9\n<&>"
	html := l
	html.path = "/<&>'"
	for name, c := range map[string]struct {
		event *Event
		line  line
	}{
		"nobody known":        {&Event{}, l},
		"an application":      {&Event{client: "app_a", partner: "prt_a"}, l},
		"somebody acts":       {&Event{client: "app_a", partner: "prt_a", user: "usr_a", actor: "app_a"}, l},
		"a path to escape":    {&Event{}, odd},
		"a path like markup":  {&Event{client: "app_a"}, html},
		"nothing at all":      {&Event{}, empty},
		"about somebody":      {&Event{client: "app_a", partner: "prt_a", subject: "usr_a"}, l},
		"refused somebody":    {&Event{client: "app_a", subject: "usr_a", err: io.EOF}, l},
		"something said":      {&Event{extra: []slog.Attr{slog.String("subject", "usr_a")}}, l},
		"refused":             {&Event{err: io.EOF}, l},
		"a fault of our own":  {&Event{err: io.EOF}, line{at: at, status: 500}},
		"500 without a cause": {&Event{}, line{at: at, status: 500}},
	} {
		var plain, quick bytes.Buffer
		c.event.write(t.Context(), slog.New(slog.NewJSONHandler(&plain, nil)), nil, c.line)
		c.event.write(t.Context(), slog.New(slog.NewJSONHandler(&quick, nil)), &quick, c.line)
		if quick.String() != plain.String() || plain.Len() == 0 {
			t.Errorf("%s: got\n%swant\n%s", name, quick.String(), plain.String())
		}
	}
}

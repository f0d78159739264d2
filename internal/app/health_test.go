package app_test

import (
	"bytes"
	"errors"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestALogThatCannotBeWrittenBack: the operator is told, and the server is ready
// all the same.
func TestALogThatCannotBeWrittenBack(t *testing.T) {
	var log bytes.Buffer
	a := open(t, 1, &clock{}, &log)
	ask := func(when, want string) {
		t.Helper()
		w := httptest.NewRecorder()
		a.Operator().ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), "GET", "/readyz", nil))
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), want) {
			t.Errorf("%s: got %d %q, want 200 %q", when, w.Code, w.Body, want)
		}
	}
	ask("at first", "ready\n")
	a.Trouble(errors.New("the disk fails"))
	ask("while the disk fails", "degraded: ")
	a.Trouble(nil)
	ask("later", "ready\n")
	if err := a.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(log.String(), "database log"); n != 2 || !strings.Contains(log.String(), "the disk fails") {
		t.Errorf("got the log %s, want one line about what fails, and one about its end", &log)
	}
}

package app_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"zombiezen.com/go/sqlite"
	"zombiezen.com/go/sqlite/sqlitex"
)

// bad is one request that must be refused, and exactly how.
type bad struct {
	request string
	status  int
	body    string
	// challenge is WWW-Authenticate, which goes with every 401; allow is Allow,
	// which goes with every 405.
	challenge, allow string
	later            time.Duration  // how far the clock has moved on
	often            int            // how often it is sent before
	endless          func(net.Conn) // writes the request in place of request
	like             string         // answers with the same word here are the same bytes
}

// The challenges, as they stand in the table of the dialects.
const (
	basicChallenge   = `Basic realm="wattgate"`
	krakenChallenge  = `Bearer error="invalid_client"`
	invalidChallenge = `Bearer error="invalid_token"`
	scopeChallenge   = `Bearer error="insufficient_scope"`
)

// TestBadInput sends everything that must be refused to a live server. For
// each: the exact answer, one line in the log without a secret, a token or the
// query string, and not a byte of the database changed.
func TestBadInput(t *testing.T) {
	s := newStage(t)
	cases := badInput(t, s)
	if err := s.Flush(t.Context()); err != nil { // the uses of the stage's own tokens
		t.Fatal(err)
	}
	before := s.dump(t)
	ids, groups := map[string]string{}, map[string]map[string]answer{}
	minutes := time.Duration(0)
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(c.body, "invalid_client") || strings.Contains(c.body, "slow_down") {
				minutes += 2 * time.Minute // two of its own for each, or the throttle would answer them all
				c.later += minutes
			}
			s.clock.move(c.later)
			for range c.often {
				s.send(t, c)
			}
			a := s.send(t, c)
			s.clock.move(-c.later)
			c.check(t, a, s.urls.Auth)
			if after := s.dump(t); after != before {
				t.Errorf("the database changed:\n%s", difference(before, after))
			}
			id := a.header.Get("X-Request-Id")
			if other := ids[id]; id == "" || other != "" {
				t.Errorf("the request id is %q, which %q has too", id, other)
			}
			ids[id] = name
			if c.like != "" {
				if groups[c.like] == nil {
					groups[c.like] = map[string]answer{}
				}
				groups[c.like][name] = a
			}
		})
	}
	for what, group := range groups {
		alike(t, what, group)
	}
	s.canFail(t, before)
	s.end()
	s.checkLog(t, ids, cases)
}

func (s *stage) send(t *testing.T, c bad) answer {
	t.Helper()
	if c.endless != nil {
		return s.converse(t, c.request, c.endless)
	}
	return s.ask(t, c.request)
}

// check compares one answer with what is documented.
func (c bad) check(t *testing.T, a answer, base string) {
	t.Helper()
	body := strings.ReplaceAll(a.body, base, "")
	if a.status != c.status || body != c.body {
		t.Errorf("got  %d %s\nwant %d %s", a.status, body, c.status, c.body)
	}
	want := map[string]string{"Www-Authenticate": c.challenge, "Allow": c.allow, "Cache-Control": "no-store", "Authorization": "", "Set-Cookie": ""}
	for name, value := range want {
		if got := strings.Join(a.header[name], " | "); got != value {
			t.Errorf("%s: got %q, want %q", name, got, value)
		}
	}
	if c.status == 401 && c.challenge == "" || c.status == 405 && c.allow == "" {
		t.Errorf("the case itself is wrong: %d with the challenge %q and Allow %q", c.status, c.challenge, c.allow)
	}
}

// alike compares the answers of a group byte by byte.
func alike(t *testing.T, what string, group map[string]answer) {
	t.Helper()
	if len(group) < 2 {
		t.Errorf("%s: a group of %d", what, len(group))
	}
	first := slices.Sorted(maps.Keys(group))[0]
	plain := func(a answer) string {
		h := a.header.Clone()
		h.Del("Date")
		h.Del("X-Request-Id")
		return fmt.Sprint(a.proto, h, a.body) // fmt sorts maps
	}
	for name, a := range group {
		if got, want := plain(a), plain(group[first]); got != want {
			t.Errorf("%s: %q got\n%s\nand %q got\n%s", what, name, got, first, want)
		}
	}
}

// canFail shows that the comparison of the database would see an act.
func (s *stage) canFail(t *testing.T, before string) {
	t.Helper()
	access(t, s.ask(t, request("GET", "/v1/auth/impersonate?user_id="+string(s.demo.CustomerUserID), "Authorization: "+s.partner)))
	if after := s.dump(t); after == before {
		t.Error("an impersonation leaves the database as it was: the audit log has no entry, or the comparison sees nothing")
	}
}

// dump returns every row of every table, read beside the server.
func (w *world) dump(t *testing.T) string {
	t.Helper()
	conn, err := sqlite.OpenConn(filepath.Join(w.data, "wattgate.db"), sqlite.OpenReadWrite)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	var tables []string
	err = sqlitex.ExecuteTransient(conn, `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name`,
		&sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			tables = append(tables, row.ColumnText(0))
			return nil
		}})
	if err != nil || len(tables) < 10 {
		t.Fatalf("%d tables, %v", len(tables), err)
	}
	var b strings.Builder
	for _, table := range tables {
		// What is counted now and then is no change: uses of secrets and keys, how
		// often somebody was refused, and when the latest request came.
		where := ""
		switch table {
		case "secret_use", "secret_hour", "application_use", "application_hour", "known_range", "mark":
			continue
		case "audit_log":
			where = " WHERE action NOT LIKE '%.refused'"
		}
		err := sqlitex.ExecuteTransient(conn, `SELECT * FROM "`+table+`"`+where, &sqlitex.ExecOptions{ResultFunc: func(row *sqlite.Stmt) error {
			b.WriteString(table)
			for i := range row.ColumnCount() {
				b.WriteString("|" + row.ColumnText(i))
			}
			b.WriteByte('\n')
			return nil
		}})
		if err != nil {
			t.Fatal(err)
		}
	}
	return b.String()
}

// difference returns the rows that only one of two dumps has.
func difference(before, after string) string {
	was := map[string]bool{}
	for line := range strings.Lines(before) {
		was[line] = true
	}
	var b strings.Builder
	for line := range strings.Lines(after) {
		if !was[line] {
			b.WriteString("+ " + line)
		}
	}
	return b.String()
}

// checkLog holds the log against what was asked: one line for each request,
// and nothing in it that opens anything.
func (s *stage) checkLog(t *testing.T, ids map[string]string, cases map[string]bad) {
	t.Helper()
	lines := map[string]int{}
	d := s.demo
	secrets := []string{
		d.PartnerClientSecret, d.ThirdPartyClientSecret, d.OtherPartnerSecret, d.CustomerPassword, d.OAuthManagerPassword, d.APIEngineerPassword,
		s.noGrant[3], s.noAudience[3], "wg_test_wrong", "user_id=", "client_secret=", "access_token=", "grant_type=", "actor_token=", "Basic ", "Bearer ",
		d.CustomerEmail, "Zonnelaan",
	}
	for _, jwt := range []string{s.partner, s.partnerNarrow, s.partnerCustomer, s.customer, s.thirdParty, s.thirdPartyNarrow, s.old, s.otherPartner, s.revoked} {
		secrets = append(secrets, strings.Split(jwt, ".")...)
	}
	for line := range bytes.Lines(s.log.Bytes()) {
		for _, secret := range secrets {
			if strings.HasPrefix(secret, "eyJhbGciOi") {
				continue // the header of every token
			}
			if bytes.Contains(line, []byte(secret)) {
				t.Errorf("the log holds %q:\n%s", secret, line)
			}
		}
		var entry struct {
			Message string `json:"msg"`
			Request string `json:"request"`
			Path    string `json:"path"`
			Status  int    `json:"status"`
		}
		if err := json.Unmarshal(line, &entry); err != nil {
			t.Errorf("%v:\n%s", err, line)
			continue
		}
		if entry.Message != "request" {
			continue
		}
		lines[entry.Request]++
		name, ok := ids[entry.Request]
		if ok && (entry.Status != cases[name].status || strings.Contains(entry.Path, "?")) {
			t.Errorf("%s: the line in the log has status %d, path %q", name, entry.Status, entry.Path)
		}
	}
	for id, name := range ids {
		if lines[id] != 1 {
			t.Errorf("%s: %d lines in the log, want 1", name, lines[id])
		}
	}
}

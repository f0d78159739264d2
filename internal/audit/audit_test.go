package audit_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/audit"
	"github.com/wattgate/wattgate/internal/domain"
)

var noon = time.Date(2026, 3, 2, 12, 0, 0, 0, time.UTC)

// memory is a log in memory.
type memory struct{ leaves []audit.Leaf }

func (m *memory) AuditSize(context.Context) (int64, error) { return int64(len(m.leaves)), nil }

func (m *memory) AuditHashes(_ context.Context, indexes []int64) ([]audit.Hash, error) {
	return m.read(indexes)
}

func (m *memory) read(indexes []int64) ([]audit.Hash, error) {
	list := make([]audit.Hash, len(indexes))
	for i, index := range indexes {
		number, level := audit.Place(index)
		list[i] = m.leaves[number].Hashes[level]
	}
	return list, nil
}

func (m *memory) AuditLeaves(_ context.Context, f audit.Filter) ([]audit.Leaf, error) {
	from := min(f.First, int64(len(m.leaves)))
	return m.leaves[from:min(from+int64(f.Limit), int64(len(m.leaves)))], nil
}

func (m *memory) add(t testing.TB, e domain.Entry) {
	t.Helper()
	hashes, err := audit.Grow(int64(len(m.leaves)), e, m.read)
	if err != nil {
		t.Fatal(err)
	}
	m.leaves = append(m.leaves, audit.Leaf{Number: int64(len(m.leaves)), Entry: e, Hashes: hashes})
}

func filled(t testing.TB, n int) *memory {
	m := &memory{}
	for i := range n {
		m.add(t, domain.Entry{ID: fmt.Sprintf("aud_%d", i), At: noon.Add(time.Duration(i)), Action: "test"})
	}
	return m
}

func signer(t testing.TB, seed byte) *audit.Signer {
	t.Helper()
	s, err := audit.NewSigner([32]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestCanonicalForm: whoever reproduces a leaf from an export relies on it.
func TestCanonicalForm(t *testing.T) {
	e := domain.Entry{
		ID: "aud_1", At: noon, Action: "user.impersonate", Partner: "prt_a", Client: "app_a", User: "usr_a", Object: "usr_é",
		By: "CAN_IMPERSONATE", RequestID: "r", Address: "ip_1",
	}
	want := "wattgate audit entry 1\n5:aud_1\n16:1772452800000000\n16:user.impersonate\n5:prt_a\n5:app_a\n5:usr_a\n6:usr_é\n15:CAN_IMPERSONATE\n1:r\n4:ip_1\n0:\n"
	if got := string(audit.Canonical(e)); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := audit.LeafHash(e); got != tlog.RecordHash([]byte(want)) {
		t.Errorf("the leaf is %v, want SHA-256 over 0 and the canonical form", got)
	}
}

func anyEntry(t *rapid.T, name string) domain.Entry {
	text := rapid.SampledFrom([]string{"", "a", "1:a", "a\n1:b", "\n", ":"})
	return domain.Entry{
		ID: text.Draw(t, name), Action: text.Draw(t, name), Partner: domain.PartnerID(text.Draw(t, name)), Client: domain.ClientID(text.Draw(t, name)),
		User: domain.UserID(text.Draw(t, name)), Object: text.Draw(t, name), By: text.Draw(t, name), RequestID: text.Draw(t, name),
		Address: text.Draw(t, name), Detail: text.Draw(t, name), At: time.UnixMicro(rapid.Int64Range(1, 3).Draw(t, name)),
	}
}

func TestTwoEntriesNeverReadTheSame(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyEntry(t, "a"), anyEntry(t, "b")
		if (a == b) != bytes.Equal(audit.Canonical(a), audit.Canonical(b)) {
			t.Fatalf("%+v and %+v: got %q and %q", a, b, audit.Canonical(a), audit.Canonical(b))
		}
	})
}

// TestTheTreeIsThatOfTheLibrary for every size, as reproduced from the entries.
func TestTheTreeIsThatOfTheLibrary(t *testing.T) {
	m := &memory{}
	for size := range 130 {
		want, err := tlog.TreeHash(int64(size), tlog.HashReaderFunc(m.read))
		if err != nil {
			t.Fatal(err)
		}
		r, err := audit.Verify(t.Context(), m, []audit.Checkpoint{{Size: int64(size), Root: want}})
		if err != nil || len(r.Faults) > 0 || r.Root != want || r.Checkpoints != 1 || r.Size != int64(size) {
			t.Fatalf("%d entries: got %+v and %v, want the root %v", size, r, err, want)
		}
		m.add(t, domain.Entry{ID: fmt.Sprint(size)})
	}
}

func TestCheckpoints(t *testing.T) {
	s := signer(t, 1)
	c, err := audit.Next(t.Context(), filled(t, 5), audit.Checkpoint{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	text, err := s.Note(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := s.Open(text); err != nil || got != c {
		t.Errorf("got %+v (%v), want %+v", got, err, c)
	}
	v, err := note.NewVerifier(s.Verifier())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := note.Open(text, note.VerifierList(v)); err != nil {
		t.Errorf("the library refuses %q: %v", text, err)
	}
	if same := signer(t, 1); same.Verifier() != s.Verifier() {
		t.Errorf("the same seed has the keys %s and %s", same.Verifier(), s.Verifier())
	}
	if text := fmt.Sprintf("%v %+v %#v", s, s, s); strings.Contains(text, "key:") {
		t.Errorf("a signer prints as %s", text)
	}
	if got, err := signer(t, 2).Open(text); !errors.Is(err, audit.ErrCheckpoint) || got != (audit.Checkpoint{}) {
		t.Errorf("another installation's: got %+v, %v", got, err)
	}
	for i := range text {
		forged := bytes.Clone(text)
		forged[i] ^= 1
		if got, err := s.Open(forged); err == nil && got != c {
			t.Errorf("with byte %d changed: got %+v", i, got)
		}
	}
	file := bytes.Join([][]byte{text[:40], text, []byte("garbage\n"), text, text[:len(text)-3]}, nil)
	if list, bad := s.Notes(file); len(list) != 1 || bad != 3 {
		t.Errorf("%q: got %v and %d unreadable, want one (garbage belongs to what it follows) and three", file, list, bad)
	}
}

// TestTheNextCheckpoint: what does not go on from the last one is not vouched for.
func TestTheNextCheckpoint(t *testing.T) {
	last, err := audit.Next(t.Context(), filled(t, 77), audit.Checkpoint{}, noon)
	if err != nil {
		t.Fatal(err)
	}
	forged := filled(t, 40)
	forged.add(t, domain.Entry{ID: "forged"})
	for range 60 {
		forged.add(t, domain.Entry{ID: "later"})
	}
	for name, c := range map[string]struct {
		log  *memory
		want error
	}{
		"the same":               {filled(t, 77), nil},
		"more":                   {filled(t, 78), nil},
		"much more":              {filled(t, 1000), nil},
		"less":                   {filled(t, 76), audit.ErrTouched},
		"empty":                  {filled(t, 0), audit.ErrTouched},
		"another, longer":        {forged, audit.ErrTouched},
		"another of that length": {&memory{forged.leaves[:77]}, audit.ErrTouched},
	} {
		if _, err := audit.Next(t.Context(), c.log, last, noon); !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: got %v, want %v", name, err, c.want)
		}
	}
}

func TestPseudonyms(t *testing.T) {
	p, other := audit.NewPseudonyms([32]byte{1}), audit.NewPseudonyms([32]byte{2})
	for name, c := range map[string]struct {
		a, b string
		same bool
	}{
		"one address":                   {"192.0.2.1", "192.0.2.1", true},
		"in IPv6":                       {"192.0.2.1", "::ffff:192.0.2.1", true},
		"spelled otherwise":             {"2001:db8::1", "2001:0DB8:0:0:0:0:0:1", true},
		"with a zone":                   {"fe80::1", "fe80::1%eth0", true},
		"two addresses":                 {"192.0.2.1", "192.0.2.2", false},
		"two of one /64":                {"2001:db8::1", "2001:db8::ffff:1", true},
		"two of two /64":                {"2001:db8::1", "2001:db8:0:1::1", false},
		"what is no address":            {"somewhere", "elsewhere", false},
		"a pseudonym has one of itself": {"192.0.2.1", p.Of("192.0.2.1"), false},
	} {
		got := p.Of(c.a)
		if (got == p.Of(c.b)) != c.same || len(got) != 23 || !strings.HasPrefix(got, "ip_") || strings.Contains(got, c.a) {
			t.Errorf("%s: got %s for %s and %s for %s", name, got, c.a, p.Of(c.b), c.b)
		}
		if got == other.Of(c.a) {
			t.Errorf("%s: another key has the same pseudonym", name)
		}
	}
	if got := p.Of("") + p.Of(audit.Local); got != "local" {
		t.Errorf("nobody's address: got %q", got)
	}
	if text := fmt.Sprintf("%v %+v %#v %d", p, p, p, p); strings.Count(text, "[pseudonyms]") != 4 {
		t.Errorf("pseudonyms print as %s", text)
	}
}

func TestRefusals(t *testing.T) {
	var recorded []domain.Entry
	var lost error
	guard := make(chan struct{}, 1)
	r := &audit.Refusals{Now: func() time.Time { return noon }, Record: func(_ context.Context, e domain.Entry) error {
		guard <- struct{}{}
		defer func() { <-guard }()
		if lost == nil {
			recorded = append(recorded, e)
		}
		return lost
	}}
	k := audit.Refusal{Action: "token.refused", Why: "invalid_client (wrong secret)", Client: "app_a", Address: "192.0.2.1"}
	for range 3 {
		r.Count(k)
	}
	lost = errors.New("a full disk")
	if err := r.Flush(t.Context()); !errors.Is(err, lost) {
		t.Errorf("a lost flush: got %v", err)
	}
	lost = nil
	r.Count(k)
	for range 2 { // the second has nothing to do
		if err := r.Flush(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if len(recorded) != 1 || recorded[0].Detail != "invalid_client (wrong secret), 4 times" || recorded[0].Client != "app_a" || recorded[0].ID == "" {
		t.Errorf("got %+v, want one entry about four refusals", recorded)
	}
	recorded = nil
	for i := range 5000 {
		r.Count(audit.Refusal{Action: "token.refused", Address: fmt.Sprint(i)})
	}
	if err := r.Flush(t.Context()); err != nil || len(recorded) != 1001 {
		t.Errorf("5,000 addresses: got %d entries and %v, want 1,000 and one about the others", len(recorded), err)
	}
	others := 0
	for _, e := range recorded {
		if e.Detail == "others, 4000 times" && e.Address == "" {
			others++
		}
	}
	if others != 1 {
		t.Errorf("got %d entries about the others, want one", others)
	}
}

// TestRefusalsCannotBeHidden: whoever makes up addresses and causes neither fills
// the log nor hides that somebody guesses for one application.
func TestRefusalsCannotBeHidden(t *testing.T) {
	for name, flood := range map[string]func(i int) audit.Refusal{
		"addresses": func(i int) audit.Refusal { return audit.Refusal{Address: fmt.Sprintf("10.0.%d.%d", i/256, i%256)} },
		"causes":    func(i int) audit.Refusal { return audit.Refusal{Why: fmt.Sprint(i), Address: "192.0.2.1"} },
		"causes that differ at the end": func(i int) audit.Refusal {
			return audit.Refusal{Why: strings.Repeat("é", 60) + fmt.Sprint(i), Address: "192.0.2.1"}
		},
		"addresses of one household": func(i int) audit.Refusal { return audit.Refusal{Address: fmt.Sprintf("2001:db8::%x", i+1)} },
		"applications":               func(i int) audit.Refusal { return audit.Refusal{Client: domain.ClientID(fmt.Sprint(i))} },
	} {
		var mu sync.Mutex
		var recorded []domain.Entry
		r := &audit.Refusals{Now: func() time.Time { return noon }, Record: func(_ context.Context, e domain.Entry) error {
			mu.Lock()
			defer mu.Unlock()
			recorded = append(recorded, e)
			return nil
		}}
		const times = 5000
		for i := range times {
			k := flood(i)
			k.Action = "token.refused"
			r.Count(k)
		}
		guess := audit.Refusal{Action: "token.refused", Why: "throttled (wrong secret)", Client: "app_a", Partner: "prt_a", Address: "192.0.2.9"}
		r.Count(guess)
		if err := r.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		guesses, detail := 0, 0
		for _, e := range recorded {
			if e.Client == "app_a" {
				guesses++
			}
			detail = max(detail, len(e.Detail))
			if !utf8.ValidString(e.Detail) {
				t.Errorf("%s: %q is no text", name, e.Detail)
			}
		}
		if len(recorded) > 2001 || detail > 130 {
			t.Errorf("%s: %d entries, of up to %d bytes", name, len(recorded), detail)
		}
		if guesses != 1 && name != "applications" { // more of them than there are
			t.Errorf("%s: the guess for one application is in %d entries, want 1", name, guesses)
		}
		if strings.HasPrefix(name, "addresses of one") && len(recorded) != 2 {
			t.Errorf("%s: %d entries, want one for all of them, and the guess", name, len(recorded))
		}
	}
}

// FuzzOpen: nothing but what was signed opens, whatever is in the file.
func FuzzOpen(f *testing.F) {
	s := signer(f, 1)
	c := audit.Checkpoint{Size: 7, Root: tlog.RecordHash(nil), At: noon}
	text, err := s.Note(c)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(append(bytes.Clone(text), text...))
	f.Add(text[:100])
	f.Fuzz(func(t *testing.T, file []byte) {
		list, unreadable := s.Notes(file)
		for _, got := range list {
			if got != c {
				t.Errorf("%q: got %+v, which nobody has signed", file, got)
			}
		}
		if len(file) > 0 && len(list)+unreadable == 0 {
			t.Errorf("%q: got nothing at all", file)
		}
		if got, err := s.Open(file); err != nil && got != (audit.Checkpoint{}) {
			t.Errorf("%q: got %+v beside %v", file, got, err)
		}
	})
}

// BenchmarkGrow measures the hashes of one entry at the end of a million.
func BenchmarkGrow(b *testing.B) {
	m := filled(b, 1<<20)
	e := domain.Entry{ID: "aud_01234567890123456789", At: noon, Action: "user.impersonate", Object: "usr_0c1a3b5e7f204a639a516f0c2d9be714"}
	n := int64(0)
	for b.Loop() {
		if _, err := audit.Grow(1<<19+n%(1<<19), e, m.read); err != nil {
			b.Fatal(err)
		}
		n++
	}
}

// BenchmarkRoot measures the root of a million entries.
func BenchmarkRoot(b *testing.B) {
	m := filled(b, 999_999)
	for b.Loop() {
		if _, err := audit.Root(b.Context(), m, 999_999); err != nil {
			b.Fatal(err)
		}
	}
}

package authn_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
)

// pantry keeps ranges from one process to the next.
type pantry struct {
	kept   map[[16]byte]int64
	oldest int64
	err    error
}

func (s *pantry) KeepRanges(_ context.Context, list []domain.KnownRange, oldest int64, _ int) error {
	if s.err != nil {
		return s.err
	}
	for _, r := range list {
		s.kept[r.Digest] = r.Hour
	}
	s.oldest = oldest
	return nil
}

func (s *pantry) KnownRanges(context.Context, int) (list []domain.KnownRange, err error) {
	for d, h := range s.kept {
		list = append(list, domain.KnownRange{Digest: d, Hour: h})
	}
	return list, s.err
}

// restart gives a door a new throttle, as another process has it.
func (d *door) restart(t *testing.T, s *pantry, key byte) {
	t.Helper()
	d.Throttle = authn.NewThrottle(d.now)
	if err := d.Throttle.Keep(t.Context(), s, [32]byte{key}); err != nil {
		t.Fatal(err)
	}
}

func (d *door) flush(t *testing.T) {
	t.Helper()
	if err := d.Throttle.Flush(t.Context(), d.now); err != nil {
		t.Fatal(err)
	}
}

// guess fails so often that everybody from there waits.
func (d *door) guess(id, address string) {
	for range 12 {
		d.try(id, d.wrong, address)
	}
}

// TestKnownRangesSurviveARestart: where an application was right before, its
// right secret passes after it, whoever guesses there; from elsewhere it waits
// as before the restart, and there is no hour in which it does not.
func TestKnownRangesSurviveARestart(t *testing.T) {
	s := &pantry{kept: map[[16]byte]int64{}}
	d := newDoor(t)
	d.restart(t, s, 1)
	d.is(t, "in", "app_good", d.right, office)
	d.flush(t)
	if len(s.kept) != 1 {
		t.Fatalf("%d ranges are kept, want 1", len(s.kept))
	}
	for digest := range s.kept {
		if bytes.Contains(digest[:], []byte{198, 51, 100}) || bytes.Contains(digest[:], []byte("app_good")) {
			t.Errorf("the digest %x can be read", digest)
		}
	}
	d.restart(t, s, 1)
	d.guess("app_good", office)
	d.is(t, "in", "app_good", d.right, office)
	d.is(t, "in", "app_good", d.right, "198.51.100.200") // the same range
	d.guess("app_good", attack)
	if got := d.try("app_good", d.right, attack); got == "in" {
		t.Error("it was never right from there, and passes")
	}

	// Another installation's key knows nobody; nor does anybody after a week.
	d.restart(t, s, 2)
	d.guess("app_good", office)
	if got := d.try("app_good", d.right, office); got == "in" {
		t.Error("under another key it is known")
	}
	d.restart(t, s, 1)
	d.now = d.now.Add(8 * 24 * time.Hour)
	d.guess("app_good", office)
	if got := d.try("app_good", d.right, office); got == "in" {
		t.Error("it was right eight days ago, and is known")
	}
}

// TestTheFirstStartIsLenient as nobody is known then.
func TestTheFirstStartIsLenient(t *testing.T) {
	d := newDoor(t)
	d.restart(t, &pantry{}, 1)
	d.guess("app_good", office)
	d.is(t, "in", "app_good", d.right, office)
}

// TestRangesThatCannotBeStored come again with the next flush.
func TestRangesThatCannotBeStored(t *testing.T) {
	s := &pantry{kept: map[[16]byte]int64{}}
	d := newDoor(t)
	d.restart(t, s, 1)
	for i := range 5 {
		d.is(t, "in", "app_good", d.right, fmt.Sprintf("198.51.%d.1", i))
	}
	s.err = errors.New("a full disk")
	if err := d.Throttle.Flush(t.Context(), d.now); !errors.Is(err, s.err) {
		t.Errorf("a lost flush: got %v", err)
	}
	s.err = nil
	d.is(t, "in", "app_good", d.right, "198.51.9.1")
	d.flush(t)
	if len(s.kept) != 6 || s.oldest != d.now.Unix()/3600-7*24 {
		t.Errorf("%d ranges are kept, from the hour %d on; want 6, and a week", len(s.kept), s.oldest)
	}
	d.is(t, "in", "app_good", d.right, office) // within the hour, and a new range
	d.flush(t)
	d.is(t, "in", "app_good", d.right, office)
	s.kept = map[[16]byte]int64{}
	d.flush(t)
	if len(s.kept) != 0 {
		t.Errorf("%d ranges are stored again within the hour", len(s.kept))
	}
	if err := (*authn.Throttle)(nil).Flush(t.Context(), d.now); err != nil {
		t.Error(err)
	}
}

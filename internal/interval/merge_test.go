package interval_test

import (
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"pgregory.net/rapid"
)

// hours is a day of three hours with the given scale.
func hours(scale uint8, pattern string, values ...int64) *interval.Day {
	return &interval.Day{Minutes: 60, Scale: scale, Values: values, Quality: qualities(pattern, len(values))}
}

func clone(d *interval.Day) *interval.Day {
	c := *d
	c.Values, c.Quality = slices.Clone(d.Values), slices.Clone(d.Quality)
	return &c
}

func TestOverlay(t *testing.T) {
	tests := map[string]struct {
		old, new, want *interval.Day
		changed        bool
	}{
		"the same again":                        {hours(3, "AAA", 1, 2, 3), hours(3, "AAA", 1, 2, 3), hours(3, "AAA", 1, 2, 3), false},
		"a later batch fills in":                {hours(3, "A..", 1, 0, 0), hours(3, "..E", 0, 0, 3), hours(3, "A.E", 1, 0, 3), true},
		"nothing new":                           {hours(3, "AAA", 1, 2, 3), hours(3, "...", 0, 0, 0), hours(3, "AAA", 1, 2, 3), false},
		"a correction":                          {hours(3, "AAA", 1, 2, 3), hours(3, ".A.", 0, 9, 0), hours(3, "AAA", 1, 9, 3), true},
		"a correction of the quality alone":     {hours(3, "EEE", 1, 2, 3), hours(3, "EAE", 1, 2, 3), hours(3, "EAE", 1, 2, 3), true},
		"a correction to zero":                  {hours(3, "AAA", 1, 2, 3), hours(3, ".A.", 0, 0, 0), hours(3, "AAA", 1, 0, 3), true},
		"a finer scale":                         {hours(1, "AA.", 1, 2, 0), hours(3, "..A", 0, 0, 7), hours(3, "AAA", 100, 200, 7), true},
		"a coarser scale":                       {hours(3, "AA.", 1, 2, 0), hours(1, "..A", 0, 0, 7), hours(3, "AAA", 1, 2, 700), true},
		"only another scale":                    {hours(1, "AAA", 1, 2, 3), hours(3, "AAA", 100, 200, 300), hours(1, "AAA", 1, 2, 3), false},
		"a finer scale over what would not fit": {hours(0, "AAA", math.MaxInt64, 2, 3), hours(1, "A..", 5, 0, 0), hours(1, "AAA", 5, 20, 30), true},
		"another resolution, complete":          {hours(3, "AAA", 1, 2, 3), &interval.Day{Minutes: 1440, Values: []int64{6}, Quality: qualities("E", 1)}, &interval.Day{Minutes: 1440, Values: []int64{6}, Quality: qualities("E", 1)}, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, batch := clone(tt.old), clone(tt.new)
			changed, err := interval.Overlay(got, batch)
			if err != nil {
				t.Fatalf("Overlay(%+v, %+v): %v", tt.old, tt.new, err)
			}
			if changed != tt.changed || !reflect.DeepEqual(got, tt.want) {
				t.Errorf("Overlay(%+v, %+v) = %+v, %t, want %+v, %t", tt.old, tt.new, got, changed, tt.want, tt.changed)
			}
			if !reflect.DeepEqual(batch, tt.new) {
				t.Errorf("Overlay changed the batch from %+v to %+v", tt.new, batch)
			}
		})
	}
}

func TestOverlaysThatAreRefused(t *testing.T) {
	quarters := &interval.Day{Minutes: 15, Values: make([]int64, 12), Quality: qualities("AAA.", 12)}
	later := hours(3, "AAA", 1, 2, 3)
	later.Start = 3600
	tests := map[string]struct {
		old, new *interval.Day
		kind     domain.Kind
		says     []string
	}{
		"another resolution with gaps":   {hours(3, "AAA", 1, 2, 3), quarters, domain.Conflict, []string{"60 minutes", "15 minutes", "9 of 12"}},
		"another start":                  {hours(3, "AAA", 1, 2, 3), later, domain.Conflict, []string{"1970-01-01T00:00:00+00:00", "1970-01-01T01:00:00+00:00"}},
		"another count":                  {hours(3, "AAA", 1, 2, 3), hours(3, "AA", 1, 2), domain.Conflict, []string{"3", "2"}},
		"old digits that do not fit":     {hours(0, "AAA", math.MaxInt64, 2, 3), hours(1, ".A.", 0, 5, 0), domain.Invalid, []string{"digits"}},
		"new digits that do not fit":     {hours(1, "AAA", 1, 2, 3), hours(0, ".A.", 0, math.MinInt64, 0), domain.Invalid, []string{"digits"}},
		"another resolution, and no one": {hours(3, "AAA", 1, 2, 3), &interval.Day{Minutes: 1440, Values: []int64{0}, Quality: qualities(".", 1)}, domain.Conflict, []string{"0 of 1"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := clone(tt.old)
			changed, err := interval.Overlay(got, tt.new)
			var e *domain.Error
			if !errors.As(err, &e) || e.Kind != tt.kind || changed {
				t.Fatalf("Overlay(%+v, %+v) = %t, %v, want a %s", tt.old, tt.new, changed, err, tt.kind)
			}
			for _, s := range tt.says {
				if !strings.Contains(e.Public, s) {
					t.Errorf("Overlay says %q, want it to name %q", e.Public, s)
				}
			}
			if !reflect.DeepEqual(got, tt.old) {
				t.Errorf("the refused Overlay changed the day from %+v to %+v", tt.old, got)
			}
		})
	}
}

func TestSetTakesTheFinerScale(t *testing.T) {
	var d interval.Day
	d.Reset(time.Unix(3600, 0), 60, 0, 3)
	for i, s := range []string{"2", "0.125", "-1.5"} {
		v, err := domain.ParseDecimal(s)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Set(i, v, domain.Actual); err != nil {
			t.Fatalf("Set(%d, %s): %v", i, s, err)
		}
	}
	want := interval.Day{Start: 3600, Minutes: 60, Scale: 3, Values: []int64{2000, 125, -1500}, Quality: qualities("A", 3)}
	if !reflect.DeepEqual(d, want) {
		t.Errorf("got %+v, want %+v", d, want)
	}
	for name, v := range map[string]domain.Decimal{
		"a value that is too great":      {Coefficient: math.MaxInt64},
		"a scale that is too fine":       {Coefficient: 1, Scale: 18},
		"a scale that no value may have": {Coefficient: 1, Scale: 19},
	} {
		if name == "a scale that is too fine" {
			d.Values[0] = math.MaxInt64 / 1000
			want.Values[0] = d.Values[0]
		}
		if err := d.Set(1, v, domain.Actual); err == nil || !reflect.DeepEqual(d, want) {
			t.Errorf("%s: Set(1, %+v) = %v and the day %+v, want an error and %+v", name, v, err, d, want)
		}
	}
	if got, end := d.At(0), d.At(3); got != 3600 || end != 3600*4 {
		t.Errorf("At(0), At(3) = %d, %d, want 3600, 14400", got, end)
	}
}

// Whatever is laid over a day, what it says stands afterwards, what it leaves
// out stays, and laying it again changes nothing.
func TestOverlayProperty(t *testing.T) {
	day := rapid.Custom(func(t *rapid.T) *interval.Day {
		d := &interval.Day{Minutes: 30, Scale: rapid.Uint8Range(0, 6).Draw(t, "scale")}
		for range 6 {
			q := domain.Quality(rapid.Uint8Range(0, 3).Draw(t, "quality"))
			v := rapid.Int64Range(-5000, 5000).Draw(t, "value")
			if q == domain.Missing {
				v = 0
			}
			d.Values, d.Quality = append(d.Values, v), append(d.Quality, q)
		}
		return d
	})
	rapid.Check(t, func(t *rapid.T) {
		old, batch := day.Draw(t, "old"), day.Draw(t, "batch")
		got := clone(old)
		changed, err := interval.Overlay(got, batch)
		if err != nil {
			t.Fatalf("Overlay(%+v, %+v): %v", old, batch, err)
		}
		same := true
		for i := range got.Values {
			want, quality := old.Value(i), old.Quality[i]
			if batch.Quality[i] != domain.Missing {
				want, quality = batch.Value(i), batch.Quality[i]
			}
			if !got.Value(i).Equal(want) || got.Quality[i] != quality {
				t.Errorf("interval %d of Overlay(%+v, %+v) is %s %s, want %s %s", i, old, batch, got.Value(i), got.Quality[i], want, quality)
			}
			same = same && old.Value(i).Equal(want) && old.Quality[i] == quality
		}
		if changed == same {
			t.Errorf("Overlay(%+v, %+v) says changed = %t", old, batch, changed)
		}
		if again, err := interval.Overlay(got, batch); again || err != nil {
			t.Errorf("the second Overlay of %+v says %t, %v", batch, again, err)
		}
	})
}

package interval_test

import (
	"errors"
	"math"
	"math/big"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"pgregory.net/rapid"
)

func TestSumKnowsItsQuality(t *testing.T) {
	tests := map[string]struct {
		pattern string
		want    domain.Quality
		present int
	}{
		"nothing":                {"", domain.Missing, 0},
		"gaps only":              {"..", domain.Missing, 0},
		"all actual":             {"AAA", domain.Actual, 3},
		"actual with a gap":      {"A.A", domain.Actual, 2},
		"one estimate":           {"AAE", domain.Estimate, 3},
		"estimates":              {"EE", domain.Estimate, 2},
		"all substituted":        {"SS", domain.Substituted, 2},
		"substituted and actual": {"SA", domain.Estimate, 2},
		"back to actual":         {"ASA", domain.Estimate, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var s interval.Sum
			if tt.pattern != "" {
				for _, q := range qualities(tt.pattern, len(tt.pattern)) {
					if err := s.Add(domain.Decimal{Coefficient: 25, Scale: 2}, q, 30); err != nil {
						t.Fatal(err)
					}
				}
			}
			want := interval.Sum{Quality: tt.want, Present: tt.present, Minutes: 30 * tt.present}
			want.Total.Coefficient = 25 * int64(tt.present)
			if tt.present > 0 {
				want.Total.Scale = 2
			}
			if s != want {
				t.Errorf("the sum of %q is %+v, want %+v", tt.pattern, s, want)
			}
			start := time.Unix(0, 0)
			full := tt.present > 0 && tt.present == len(tt.pattern)
			if got := s.Complete(start, start.Add(time.Duration(len(tt.pattern))*30*time.Minute)); got != full {
				t.Errorf("the sum of %q is complete: %t, want %t", tt.pattern, got, full)
			}
		})
	}
}

func TestSumNeverWraps(t *testing.T) {
	tests := map[string][]domain.Decimal{
		"beyond the greatest": {{Coefficient: math.MaxInt64}, {Coefficient: 1}},
		"beyond the least":    {{Coefficient: math.MinInt64}, {Coefficient: -1}},
		"at a finer scale":    {{Coefficient: math.MaxInt64 / 5}, {Coefficient: 1, Scale: 1}},
		"at the finest scale": {{Coefficient: 1, Scale: 18}, {Coefficient: 10}},
	}
	for name, values := range tests {
		t.Run(name, func(t *testing.T) {
			var s interval.Sum
			if err := s.Add(values[0], domain.Actual, 30); err != nil {
				t.Fatal(err)
			}
			before := s
			err := s.Add(values[1], domain.Estimate, 30)
			var e *domain.Error
			if !errors.As(err, &e) || e.Kind != domain.Invalid || s != before {
				t.Errorf("%v + %v = %+v, %v, want an error and %+v", values[0], values[1], s, err, before)
			}
		})
	}
}

// The greatest readings that files may hold add up: a leap year of five minutes
// at six places, three days at nine. What is beyond is an error.
func TestSumOfTheGreatest(t *testing.T) {
	tests := map[string]struct {
		value  domain.Decimal
		fits   int // readings, at least
		spills bool
	}{
		"six places":           {domain.Decimal{Coefficient: 9_999_999_999_999, Scale: 6}, 105_408, false},
		"six places, negative": {domain.Decimal{Coefficient: -9_999_999_999_999, Scale: 6}, 105_408, false},
		"nine places":          {domain.Decimal{Coefficient: 9_999_999_999_999_999, Scale: 9}, 922, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var s interval.Sum
			for i := range tt.fits {
				if err := s.Add(tt.value, domain.Actual, 5); err != nil {
					t.Fatalf("%d readings of %s: %v", i+1, tt.value, err)
				}
			}
			want := domain.Decimal{Coefficient: tt.value.Coefficient * int64(tt.fits), Scale: tt.value.Scale}
			if s.Total != want || s.Present != tt.fits {
				t.Errorf("the sum of %d times %s is %+v, want %s", tt.fits, tt.value, s, want)
			}
			if err := s.Add(tt.value, domain.Actual, 5); (err != nil) != tt.spills {
				t.Errorf("once more: got error %v, want one: %t", err, tt.spills)
			}
		})
	}
}

// Sums are exact at any mixture of scales.
func TestSumProperty(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s interval.Sum
		want := new(big.Rat)
		for range rapid.IntRange(0, 50).Draw(t, "count") {
			v := domain.Decimal{
				Coefficient: rapid.Int64Range(-1e9, 1e9).Draw(t, "coefficient"),
				Scale:       rapid.Uint8Range(0, 6).Draw(t, "scale"),
			}
			if err := s.Add(v, domain.Actual, 30); err != nil {
				t.Fatal(err)
			}
			r, _ := new(big.Rat).SetString(v.String())
			want.Add(want, r)
		}
		if got, _ := new(big.Rat).SetString(s.Total.String()); got.Cmp(want) != 0 {
			t.Errorf("the sum is %s, want %s", s.Total, want.FloatString(6))
		}
	})
}

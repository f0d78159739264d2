package domain_test

import (
	"errors"
	"math"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/wattgate/wattgate/internal/domain"
)

// ratio is the exact value of a decimal, by other means than ours.
func ratio(d domain.Decimal) *big.Rat {
	scale := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	return new(big.Rat).SetFrac(big.NewInt(d.Coefficient), scale)
}

// anyDecimal draws coefficients of all magnitudes, the borders among them.
func anyDecimal(t *rapid.T, label string) domain.Decimal {
	return domain.Decimal{
		Coefficient: rapid.OneOf(rapid.Int64(), rapid.Int64Range(-1000, 1000), rapid.SampledFrom([]int64{0, math.MaxInt64, math.MinInt64})).Draw(t, label),
		Scale:       rapid.Uint8Range(0, domain.MaxScale).Draw(t, label+"Scale"),
	}
}

func TestParseDecimal(t *testing.T) {
	for text, want := range map[string]string{
		"0": "0", "-0": "0", "12": "12", "+12": "12", "-0.125": "-0.125", ".048": "0.048", "-.5": "-0.5", "7.": "7", "1.50": "1.50",
		"0.000000000000000001": "0.000000000000000001", "9223372036854775807": "9223372036854775807", "-9.223372036854775807": "-9.223372036854775807",
		"00000000000000000000000000001": "1",
		"":                              "", ".": "", "-": "", "+-1": "", "1.2.3": "", "1e3": "", " 1": "", "1 ": "", "1,5": "", "0x1": "", "Inf": "", "NaN": "", "١": "",
		"9223372036854775808": "", "0.0000000000000000000": "", "99999999999999999999": "",
	} {
		got, err := domain.ParseDecimal(text)
		if want == "" {
			if e, ok := errors.AsType[*domain.Error](err); got != (domain.Decimal{}) || !ok || e.Kind != domain.Invalid {
				t.Errorf("ParseDecimal(%q) = %v, %v; want an error of kind invalid", text, got, err)
			}
			continue
		}
		if err != nil || got.String() != want {
			t.Errorf("ParseDecimal(%q) = %v, %v; want %s", text, got, err, want)
		}
	}
}

func TestDecimalsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d := anyDecimal(t, "d")
		if got, want := d.String(), ratio(d).FloatString(int(d.Scale)); got != want {
			t.Fatalf("%#v: got %s, want %s", d, got, want)
		}
		if d.Coefficient == math.MinInt64 {
			return // one more than can be read
		}
		if back, err := domain.ParseDecimal(d.String()); err != nil || back != d {
			t.Fatalf("%#v is %s and reads back as %#v, %v", d, d, back, err)
		}
		wide := string(d.Append(nil, domain.MaxScale))
		if want := ratio(d).FloatString(domain.MaxScale); wide != want || len(wide)-strings.IndexByte(wide, '.')-1 != domain.MaxScale {
			t.Fatalf("%#v with 18 places: got %s, want %s", d, wide, want)
		}
	})
}

func TestDecimalsKeepTheirValue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		d, scale := anyDecimal(t, "d"), rapid.Uint8Range(0, domain.MaxScale).Draw(t, "scale")
		if trimmed := d.Trim(); ratio(trimmed).Cmp(ratio(d)) != 0 || !d.Equal(trimmed) || trimmed.Scale > 0 && trimmed.Coefficient%10 == 0 {
			t.Fatalf("%#v trimmed is %#v", d, trimmed)
		}
		got, ok := d.Rescale(scale)
		whole := new(big.Rat).Mul(ratio(d), new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		fits := whole.IsInt() && whole.Num().IsInt64()
		if ok != fits {
			t.Fatalf("%#v rescaled to %d: %#v, %t, and it fits %t", d, scale, got, ok, fits)
		}
		if ok && (got.Scale != scale || got.Coefficient != whole.Num().Int64()) {
			t.Fatalf("%#v rescaled to %d: %#v, want the coefficient %v", d, scale, got, whole)
		}
	})
}

func TestDecimalsAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := anyDecimal(t, "a"), anyDecimal(t, "b")
		want := new(big.Rat).Add(ratio(a), ratio(b))
		got, ok := a.Add(b)
		if ok && ratio(got).Cmp(want) != 0 {
			t.Fatalf("%v + %v = %v, want %s", a, b, got, want.FloatString(18))
		}
		if other, same := b.Add(a); ok != same || ok && other != got {
			t.Fatalf("%v + %v = %v, %t, and the other way round %v, %t", a, b, got, ok, other, same)
		}
		scale := max(a.Scale, b.Scale)
		_, fits1 := a.Rescale(scale)
		_, fits2 := b.Rescale(scale)
		whole := new(big.Rat).Mul(want, new(big.Rat).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(scale)), nil)))
		if fits := fits1 && fits2 && whole.Num().IsInt64(); ok != fits {
			t.Fatalf("%v + %v: ok is %t, and it fits %t", a, b, ok, fits)
		}
		if a.Equal(b) != (ratio(a).Cmp(ratio(b)) == 0) {
			t.Fatalf("%v and %v: equal is %t", a, b, a.Equal(b))
		}
	})
}

func FuzzDecimal(f *testing.F) {
	for _, seed := range []string{"0", "-0.125", ".048", "9223372036854775807", "1e3", "", "--1", "1.0000000000000000000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := domain.ParseDecimal(text)
		if err != nil {
			if d != (domain.Decimal{}) {
				t.Fatalf("%q: %v beside %v", text, d, err)
			}
			return
		}
		want, ok := new(big.Rat).SetString(strings.TrimSuffix(text, "."))
		if !ok || ratio(d).Cmp(want) != 0 {
			t.Fatalf("%q: got %v, want %v", text, d, want)
		}
	})
}

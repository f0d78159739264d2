package graph

import (
	"strconv"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// parseDecimal reads plain notation or an exponent, such as 7.93e-1 or 0E-18,
// which clients send back as they have seen it elsewhere.
func parseDecimal(s string) (domain.Decimal, error) {
	mantissa, exponent, found := cutExponent(s)
	d, err := domain.ParseDecimal(mantissa)
	if err != nil || !found {
		return d, err
	}
	e, err := strconv.Atoi(exponent)
	if err != nil || e < -1000 || e > 1000 {
		return domain.Decimal{}, invalid("%s is not a decimal number", domain.Quote(s))
	}
	if d.Coefficient == 0 {
		return domain.Decimal{}, nil
	}
	return shift(d.Trim(), e, s)
}

// shift multiplies d by ten to the e.
func shift(d domain.Decimal, e int, s string) (domain.Decimal, error) {
	scale := int(d.Scale) - e
	if scale < 0 {
		whole, ok := domain.Decimal{Coefficient: d.Coefficient}.Rescale(uint8(min(-scale, 255)))
		if !ok {
			return domain.Decimal{}, invalid("%s has too many digits", domain.Quote(s))
		}
		return domain.Decimal{Coefficient: whole.Coefficient}, nil
	}
	for scale > domain.MaxScale && d.Coefficient%10 == 0 {
		d.Coefficient /= 10
		scale--
	}
	if scale > domain.MaxScale {
		return domain.Decimal{}, invalid("%s has more than 18 decimal places", domain.Quote(s))
	}
	return domain.Decimal{Coefficient: d.Coefficient, Scale: uint8(scale)}, nil
}

func cutExponent(s string) (mantissa, exponent string, found bool) {
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		return s[:i], s[i+1:], true
	}
	return s, "", false
}

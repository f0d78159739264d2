package domain_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
)

func TestParseMarket(t *testing.T) {
	for in, want := range map[string]struct {
		territory        string
		electricity, gas bool
	}{
		"GBR_ELECTRICITY": {"GBR", true, false}, "NLD_GAS": {"NLD", false, true}, "AUS_WATER": {"AUS", false, false},
	} {
		m, err := domain.ParseMarket(in)
		if err != nil || string(m) != in || m.Territory() != want.territory || m.Electricity() != want.electricity || m.Gas() != want.gas {
			t.Errorf("ParseMarket(%q) = %q of %q, electricity %v, gas %v, %v; want %+v", in, m, m.Territory(), m.Electricity(), m.Gas(), err, want)
		}
	}
	for _, in := range []string{
		"", "ELECTRICITY", "GBR", "GBR_", "_GAS", "gbr_electricity", "GB_ELECTRICITY", "GBR-ELECTRICITY", "GBR_ELECTRICITY ",
		"GBR_ELECTRICITY_2", "GBR__GAS", "GBR_GAS\n", "ÄÄA_GAS", "GBR_" + strings.Repeat("A", 33),
	} {
		if m, err := domain.ParseMarket(in); err == nil || m != "" {
			t.Errorf("ParseMarket(%q) = %q, %v; want an error", in, m, err)
		}
	}
}

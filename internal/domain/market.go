package domain

import "strings"

// ParseMarket reads the name of a market as it enters the program: the three
// capital letters of a territory and what is delivered there, GBR_ELECTRICITY.
// Whether any supply point of ours is in it is another question.
func ParseMarket(s string) (Market, error) {
	territory, utility, ok := strings.Cut(s, "_")
	if !ok || len(territory) != 3 || utility == "" || len(utility) > 32 || !capitals(territory) || !capitals(utility) {
		return "", &Error{Kind: Invalid, Public: Quote(s) + " is not a market: want a territory and what is delivered there, such as NLD_ELECTRICITY"}
	}
	return Market(s), nil
}

func capitals(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' }) < 0
}

// Territory returns the part before the utility, such as NLD.
func (m Market) Territory() string {
	territory, _, _ := strings.Cut(string(m), "_")
	return territory
}

// Electricity reports whether the market delivers electricity.
func (m Market) Electricity() bool { return strings.HasSuffix(string(m), "_ELECTRICITY") }

package supply

import (
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
)

// isText reports whether a text has so many characters, all of which can be seen.
func isText(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return utf8.ValidString(s) && n >= least && n <= most && strings.TrimSpace(s) == s &&
		!strings.ContainsFunc(s, func(r rune) bool { return !unicode.IsPrint(r) })
}

func isEmail(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Address == s && len(s) <= 254 && isText(s, 3, 254)
}

// isPhone takes a telephone number as people write it.
func isPhone(s string) bool {
	return len(s) <= 40 && strings.ContainsAny(s, "0123456789") && strings.Trim(s, "+0123456789 ()/.-") == ""
}

// isMarket takes a market that delivers what we measure.
func isMarket(m domain.Market) bool {
	_, err := domain.ParseMarket(string(m))
	return err == nil && (m.Electricity() || m.Gas())
}

func isIdentifier(s string) bool {
	return len(s) >= 1 && len(s) <= 64 && !strings.ContainsFunc(s, func(r rune) bool {
		return r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("._-", r)
	})
}

// The days on which somebody may move. An earlier start is no start at all.
var firstMove, lastMove = domain.NewDate(1970, time.January, 2), domain.NewDate(2199, time.December, 31)

func checkDay(here Field, d domain.Date) error {
	if d < firstMove || d > lastMove {
		return invalid(here, "%s is not between %s and %s", d, firstMove, lastMove)
	}
	return nil
}

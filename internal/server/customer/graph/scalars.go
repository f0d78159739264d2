package graph

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
)

// The places of a Decimal on the wire: always all of them, so that a reader
// who aligns columns of text gets columns of numbers.
const decimalPlaces = domain.MaxScale

// DateTime is a moment as text. Out it is ISO 8601 with an offset; in it is
// what the caller wrote, already known to be a date-time, which means an
// instant only in the zone of the question.
type DateTime string

// FormatDateTime returns t as it goes out: with the offset of t's location, and
// never as Z.
func FormatDateTime(t time.Time) DateTime {
	return DateTime(interval.FormatMoment(t))
}

// MarshalDateTime writes the text in quotes.
func MarshalDateTime(d DateTime) graphql.Marshaler { return plainText(string(d)) }

// UnmarshalDateTime takes any form that [interval.ParseMoment] reads.
func UnmarshalDateTime(v any) (DateTime, error) {
	s, err := text(v, "DateTime")
	if err != nil {
		return "", err
	}
	if _, err := interval.ParseMoment(s); err != nil {
		return "", err
	}
	return DateTime(s), nil
}

// MarshalDate writes YYYY-MM-DD.
func MarshalDate(d domain.Date) graphql.Marshaler { return plainText(d.String()) }

// UnmarshalDate takes YYYY-MM-DD and refuses a day that does not exist.
func UnmarshalDate(v any) (domain.Date, error) {
	s, err := text(v, "Date")
	if err != nil {
		return 0, err
	}
	return domain.ParseDate(s)
}

// MarshalTime writes RFC 3339 in UTC.
func MarshalTime(t time.Time) graphql.Marshaler { return plainText(t.UTC().Format(time.RFC3339)) }

// UnmarshalTime takes RFC 3339.
func UnmarshalTime(v any) (time.Time, error) {
	s, err := text(v, "Time")
	if err != nil {
		return time.Time{}, err
	}
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		return time.Time{}, invalid("%s is not a time: want RFC 3339, such as 1984-02-29T00:00:00Z", domain.Quote(s))
	}
	return t, nil
}

// MarshalUUID writes the text in quotes.
func MarshalUUID(s string) graphql.Marshaler { return plainText(s) }

// UnmarshalUUID takes 8-4-4-4-12 hexadecimal digits, by way of the user
// identifiers that are written so.
func UnmarshalUUID(v any) (string, error) {
	s, err := text(v, "UUID")
	if err != nil {
		return "", err
	}
	id, err := domain.ParseUserID(s)
	if err != nil || strings.HasPrefix(s, "usr_") {
		return "", invalid("%s is not a UUID", domain.Quote(s))
	}
	return id.UUID(), nil
}

// MarshalDecimal writes a string with 18 places.
func MarshalDecimal(d domain.Decimal) graphql.Marshaler {
	var buf [40]byte
	return plainText(d.Append(buf[:0], decimalPlaces))
}

// UnmarshalDecimal takes a string or a number, with an exponent too.
func UnmarshalDecimal(v any) (domain.Decimal, error) {
	switch v := v.(type) {
	case string:
		return parseDecimal(v)
	case json.Number:
		return parseDecimal(v.String())
	case int64:
		return domain.Decimal{Coefficient: v}, nil
	case float64: // a literal in the query, which gqlparser has read already
		return parseDecimal(strconv.FormatFloat(v, 'f', -1, 64))
	}
	return domain.Decimal{}, invalid("a Decimal is a string or a number")
}

func text(v any, scalar string) (string, error) {
	s, ok := v.(string)
	if !ok {
		return "", invalid("a %s is a string", scalar)
	}
	return s, nil
}

func invalid(format string, args ...any) error {
	return &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(format, args...)}
}

// plainText writes a text that needs no escaping in quotes.
func plainText[T string | []byte](s T) graphql.Marshaler {
	quoted := make([]byte, 0, len(s)+2)
	quoted = append(quoted, '"')
	quoted = append(quoted, s...)
	quoted = append(quoted, '"')
	return graphql.WriterFunc(func(w io.Writer) { _, _ = w.Write(quoted) })
}

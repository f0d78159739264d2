package customer

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/usage"
)

// written are the formats that have an ending of their own, whether or not this
// program was built with them.
var written = []meterfile.Format{
	meterfile.CSV, meterfile.NDJSON, meterfile.JSON, meterfile.ESPI, meterfile.NEM12, meterfile.CDR, meterfile.Parquet,
}

// exportAsked is what a request wants exported.
type exportAsked struct {
	market     domain.Market
	identifier string
	format     meterfile.Format
	query      usage.ExportQuery
}

// readExport reads MARKET:identifier.format and the parameters from, to, by,
// direction and register.
func readExport(file, query string) (asked exportAsked, err error) {
	point := ""
	for _, f := range written { // the longest ending counts: .cdr.json before .json
		if name, ok := strings.CutSuffix(file, "."+string(f)); ok && len(f) > len(asked.format) {
			point, asked.format = name, f
		}
	}
	if asked.format == "" {
		return asked, noFormat()
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return asked, &domain.Error{Kind: domain.Invalid, Public: "the query string cannot be read", Err: err}
	}
	given := map[string]bool{}
	for name, list := range values {
		if len(list) > 1 {
			return asked, &domain.Error{Kind: domain.Invalid, Public: "the parameter " + domain.Quote(name) + " stands more than once"}
		}
		given[name] = true
		if err := asked.read(name, list[0]); err != nil {
			return asked, err
		}
	}
	if !given["from"] || !given["to"] {
		return asked, &domain.Error{Kind: domain.Invalid, Public: "from and to are needed: the first and the last day, as YYYY-MM-DD"}
	}
	market, identifier, ok := strings.Cut(point, ":")
	if !ok { // what cannot be a supply point names nothing either
		return asked, noSupplyPoint(nil)
	}
	asked.market, asked.identifier = domain.Market(market), identifier
	return asked, nil
}

func (a *exportAsked) read(name, value string) (err error) {
	switch name {
	case "from":
		a.query.First, err = domain.ParseDate(value)
	case "to":
		a.query.Last, err = domain.ParseDate(value)
	case "by":
		a.query.Group, a.query.PointInTime, err = readGroup(value)
	case "direction":
		var d domain.Direction
		d, err = readDirection(value)
		a.query.Direction = &d
	case "register":
		a.query.Register = &value
	default:
		return &domain.Error{Kind: domain.Invalid, Public: "there is no parameter " + domain.Quote(name) + ": there are from, to, by, direction and register"}
	}
	if err != nil {
		return &domain.Error{Kind: domain.Invalid, Public: name + ": " + err.Error(), Err: err}
	}
	return nil
}

// groups are the names of by: those of the API's enum ReadingFrequencyType, whose
// _INTERVAL may be left out, in any case.
var groups = map[string]interval.Group{
	"RAW": interval.Raw, "INTERVALIZED": interval.Raw,
	"FIVE_MIN": interval.FiveMinutes, "FIFTEEN_MIN": interval.FifteenMinutes, "THIRTY_MIN": interval.ThirtyMinutes,
	"HOUR": interval.Hour, "DAY": interval.ByDay, "DAILY": interval.ByDay, "WEEK": interval.Week,
	"MONTH": interval.Month, "QUARTER": interval.Quarter, "YEAR": interval.Year,
}

// pointInTime is the name of what is no group: the indices of the registers.
const pointInTime = "POINT_IN_TIME"

func readGroup(s string) (g interval.Group, index bool, err error) {
	name := strings.ToUpper(s)
	if name == pointInTime {
		return interval.Raw, true, nil
	}
	g, ok := groups[strings.TrimSuffix(name, "_INTERVAL")]
	if !ok {
		return 0, false, fmt.Errorf("%s is not a group: want RAW, FIVE_MIN, FIFTEEN_MIN, THIRTY_MIN, HOUR, DAY, WEEK, MONTH, QUARTER, YEAR or %s", domain.Quote(s), pointInTime)
	}
	return g, false, nil
}

func readDirection(s string) (domain.Direction, error) {
	for _, d := range []domain.Direction{domain.Consumption, domain.Generation} {
		if strings.EqualFold(s, d.String()) {
			return d, nil
		}
	}
	return 0, fmt.Errorf("%s is not a direction: want CONSUMPTION or GENERATION", domain.Quote(s))
}

// fileName is how the file is to be called. Of the identifier only what every
// file system takes is left.
func (a exportAsked) fileName() string {
	plain := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, string(a.market)+"-"+a.identifier)
	return fmt.Sprintf("%s-%s-%s.%s", plain, a.query.First, a.query.Last, a.format)
}

// tag is an entity tag for what was asked for in this version of the readings.
// It is a weak one: some formats say when they were written.
func (a exportAsked) tag(version string) string {
	register := ""
	if a.query.Register != nil {
		register = *a.query.Register
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%d %d\n%q\n%s", a.format, version, a.query.First, a.query.Last, register, a.identifier))
	return base64.RawURLEncoding.EncodeToString(sum[:12])
}

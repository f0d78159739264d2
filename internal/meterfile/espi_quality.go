package meterfile

import (
	"encoding/xml"

	"github.com/wattgate/wattgate/internal/domain"
)

// qualities are the codes of REQ.21's QualityOfReading. What was computed is an
// estimate, what a person put in is a substitute.
var qualities = map[string]domain.Quality{
	"0":  domain.Actual,      // valid
	"7":  domain.Substituted, // manually edited
	"8":  domain.Estimate,    // using a reference day
	"9":  domain.Estimate,    // by linear interpolation
	"10": domain.Estimate,    // questionable
	"11": domain.Estimate,    // derived
	"12": domain.Estimate,    // projected
	"13": domain.Estimate,    // mixed
	"14": domain.Actual,      // raw
	"15": domain.Estimate,    // normalised for weather
	"16": domain.Estimate,    // other
	"17": domain.Actual,      // validated
	"18": domain.Actual,      // verified
	"19": domain.Actual,      // revenue quality
}

const wantQuality = "0 or 7 to 19, a code of QualityOfReading"

func (b *blocks) quality() (domain.Quality, error) {
	found := domain.Missing
	err := b.children(func(t xml.StartElement) error {
		if t.Name.Local != "quality" {
			return nil
		}
		text, err := b.text()
		if err != nil {
			return err
		}
		q, ok := qualities[text]
		if !ok {
			return b.refuse("ReadingQuality.quality", wantQuality, quote(text))
		}
		found = max(found, q)
		return nil
	})
	return found, err
}

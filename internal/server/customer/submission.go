package customer

import (
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/meterfile"
)

// submission is what a request asks for besides its body.
type submission struct {
	key     string // the sender's name for the batch
	format  meterfile.Format
	packing meterfile.Packing
	partial bool
	reason  string
}

// maxKey bounds the name of a batch.
const maxKey = 255

// The headers that say what is taken, in a refusal (RFC 9110 §15.5.16).
var (
	mediaTypes = [2]string{"Accept", "application/x-ndjson, text/csv, text/csv;profile=nem12, application/atom+xml, application/json"}
	encodings  = [2]string{"Accept-Encoding", "gzip, zstd"}
)

// readSubmission reads what a request asks for; its body is not read, and has so
// many bytes at most.
func readSubmission(r *http.Request, most int64) (s submission, err error) {
	if err = s.parameters(r.URL.RawQuery); err != nil {
		return s, err
	}
	if s.key, err = batchKey(r.Header); err != nil {
		return s, err
	}
	if s.format, err = mediaFormat(r.Header); err != nil {
		return s, err
	}
	if s.packing, err = packingOf(r.Header); err != nil {
		return s, err
	}
	if r.ContentLength > most {
		return s, tooLong(most, nil)
	}
	return s, nil
}

// parameters reads mode and reason; there are no others.
func (s *submission) parameters(query string) error {
	values, err := url.ParseQuery(query)
	if err != nil {
		return &domain.Error{Kind: domain.Invalid, Public: "the query string cannot be read", Err: err}
	}
	for name, list := range values {
		if len(list) > 1 {
			return &domain.Error{Kind: domain.Invalid, Public: "the parameter " + domain.Quote(name) + " stands more than once"}
		}
		switch name {
		case "mode":
			s.partial = list[0] == "partial"
			if !s.partial && list[0] != "strict" {
				return &domain.Error{Kind: domain.Invalid, Public: "mode is " + domain.Quote(list[0]) + ": want strict or partial"}
			}
		case "reason":
			s.reason = list[0]
			if err := intake.CheckReason(s.reason); err != nil {
				return err
			}
		default:
			return &domain.Error{Kind: domain.Invalid, Public: "there is no parameter " + domain.Quote(name) + ": there are mode and reason"}
		}
	}
	return nil
}

// batchKey reads the header Idempotency-Key.
func batchKey(h http.Header) (string, error) {
	refuse := func(got string) (string, error) {
		return "", &domain.Error{Kind: domain.Invalid, Public: fmt.Sprintf(
			"the header Idempotency-Key names the batch with 1 to %d visible ASCII characters, so that it can be sent again: got %s", maxKey, got)}
	}
	keys := h.Values("Idempotency-Key")
	switch {
	case len(keys) == 0:
		return refuse("none")
	case len(keys) > 1:
		return refuse("more than one")
	case keys[0] == "":
		return refuse("an empty one")
	case len(keys[0]) > maxKey:
		return refuse(fmt.Sprintf("%d", len(keys[0])))
	}
	for _, c := range []byte(keys[0]) {
		if c <= ' ' || c > '~' {
			return refuse("another character")
		}
	}
	return keys[0], nil
}

// mediaFormat reads the header Content-Type.
func mediaFormat(h http.Header) (meterfile.Format, error) {
	refuse := func(sentence string) (meterfile.Format, error) {
		return "", &misfit{status: http.StatusUnsupportedMediaType, sentence: sentence, accept: mediaTypes}
	}
	types := h.Values("Content-Type")
	if len(types) != 1 {
		return refuse("The request names no media type, or more than one; the header Accept lists those that are taken.")
	}
	media, params, err := mime.ParseMediaType(types[0])
	if err != nil {
		return refuse("The media type cannot be read; the header Accept lists those that are taken.")
	}
	profile := params["profile"]
	delete(params, "profile")
	for name, value := range params {
		if !harmless(media, name, value) {
			profile = "unknown"
		}
	}
	switch {
	case media == "text/csv" && strings.EqualFold(profile, "nem12"):
		return meterfile.NEM12, nil
	case profile != "":
	case media == "text/csv":
		return meterfile.CSV, nil
	case media == "application/x-ndjson":
		return meterfile.NDJSON, nil
	case media == "application/atom+xml":
		return meterfile.ESPI, nil
	case media == "application/json":
		return meterfile.CDR, nil
	}
	return refuse("This media type is not taken; the header Accept lists those that are.")
}

// harmless reports whether a parameter of a media type says what is so anyway:
// that there is a head (RFC 4180 §3), that it is a feed (RFC 5023 §12).
func harmless(media, name, value string) bool {
	switch name {
	case "charset":
		return strings.EqualFold(value, "utf-8")
	case "header":
		return media == "text/csv" && strings.EqualFold(value, "present")
	case "type":
		return media == "application/atom+xml" && strings.EqualFold(value, "feed")
	}
	return false
}

// packingOf reads the header Content-Encoding.
func packingOf(h http.Header) (meterfile.Packing, error) {
	coding := strings.ToLower(strings.TrimSpace(strings.Join(h.Values("Content-Encoding"), ",")))
	switch coding {
	case "", "identity":
		return meterfile.Unpacked, nil
	case "gzip", "x-gzip": // RFC 9110 §8.4.1.3
		return meterfile.Gzip, nil
	case "zstd":
		return meterfile.Zstd, nil
	}
	return "", &misfit{
		status: http.StatusUnsupportedMediaType, accept: encodings,
		sentence: "This content encoding is not taken; the header Accept-Encoding lists those that are, one at a time.",
	}
}

package customer_test

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/server/customer"
)

// half writes a line of CSV about half an hour.
func half(point, local, utc, value, unit, quality string) string {
	return point + ",1,CONSUMPTION," + local + "," + utc + ",30," + value + "," + unit + "," + quality + "\n"
}

const (
	csvHead = "supply_point,register,direction,start_local,start_utc,minutes,value,unit,quality\n"
	meter1  = "NLD_ELECTRICITY:1"
	noonish = "2024-11-12T12:00:00+01:00"
	zulu    = "2024-11-12T11:00:00Z"
)

// nem12 is a file of one day of the meter NMI0000001.
func nem12(unit, flag, reason string, values ...string) string {
	day := strings.Split(strings.Repeat("0.1,", 48), ",")[:48]
	copy(day, values)
	return "100,NEM12,202411130900,WATTGATE,WATTGATE\n200,NMI0000001,E1,1,E1,N1,METER1," + unit + ",30,\n300,20241112," +
		strings.Join(day, ",") + "," + flag + "," + reason + ",,20241113090000,\n900\n"
}

// TestSubmitRefuses holds that whatever is wrong with a batch is said with its
// line, and that nothing of it is stored: neither a reading, nor an entry in the
// audit log, nor its name.
func TestSubmitRefuses(t *testing.T) {
	o := newOffice(t, func(h *customer.Host, _ *http.Server) { h.MaxBatch = 1 << 20 })
	good := half(meter1, noonish, zulu, "0.1", "kwh", "ACTUAL")
	if got := o.submit(t, batch{key: "before"}, csvHead+good); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	const nem = "text/csv; profile=nem12"
	short := strings.Replace(nem12("kWh", "A", ""), "0.1,", "", 1)
	twice := strings.Replace(nem12("kWh", "A", ""), "900\n", strings.SplitAfterN(nem12("kWh", "A", ""), "\n", 2)[1], 1)
	cut := packed(t, "gzip", csvHead+good)
	whole := written(t, meterfile.ESPI)
	for name, c := range map[string]struct {
		batch
		body string
		line int
		want string
	}{
		"intervals that overlap": {
			batch{},
			csvHead + good + half(meter1, noonish, zulu, "0.2", "kwh", "ACTUAL"), 3,
			"field start: want one reading for each interval, got a second one for 2024-11-12T12:00:00+01:00, 0.2 ACTUAL after 0.1 ACTUAL",
		},
		"intervals that overlap by half": {
			batch{},
			csvHead + good + half(meter1, "2024-11-12T12:15:00+01:00", "2024-11-12T11:15:00Z", "0.2", "kwh", "ACTUAL"), 3,
			"field start: want a multiple of 30 minutes after midnight in Europe/Amsterdam, got 2024-11-12T12:15:00+01:00",
		},
		"a wrong interval length":               {batch{}, csvHead + strings.Replace(good, ",30,", ",7,", 1), 2, ""},
		"another interval length in a day":      {batch{}, csvHead + good + strings.Replace(half(meter1, "2024-11-12T13:00:00+01:00", "2024-11-12T12:00:00Z", "1", "kwh", "ACTUAL"), ",30,", ",60,", 1), 3, ""},
		"47 of 48 values":                       {batch{media: nem}, short, 3, ""},
		"an unknown unit":                       {batch{}, csvHead + half(meter1, noonish, zulu, "0.1", "joule", "ACTUAL"), 2, `field unit: want kwh, wh, m3, kvarh or varh, got "joule"`},
		"an empty unit":                         {batch{}, csvHead + half(meter1, noonish, zulu, "0.1", "", "ACTUAL"), 2, "field unit: want kwh, wh, m3, kvarh or varh, got nothing"},
		"an empty unit in NEM12":                {batch{media: nem}, nem12("", "A", ""), 2, ""},
		"an unknown unit in NEM12":              {batch{media: nem}, nem12("furlong", "A", ""), 2, ""},
		"a flag that needs a reason code":       {batch{media: nem}, nem12("kWh", "S14", ""), 3, ""},
		"another flag that needs a reason code": {batch{media: nem}, nem12("kWh", "F14", ""), 3, ""},
		"a quality that is none":                {batch{}, csvHead + half(meter1, noonish, zulu, "0.1", "kwh", "GOOD"), 2, ""},
		"a value that is no number":             {batch{}, csvHead + half(meter1, noonish, zulu, "NaN", "kwh", "ACTUAL"), 2, `field value: want a number between -10000000 and 10000000 with at most 9 decimal places, got "NaN"`},
		"a value that is no number in NEM12":    {batch{media: nem}, nem12("kWh", "A", "", "NaN"), 3, ""},
		"an endless value":                      {batch{}, csvHead + half(meter1, noonish, zulu, "1"+strings.Repeat("0", 30), "kwh", "ACTUAL"), 2, ""},
		"an endless value with an exponent":     {batch{}, csvHead + half(meter1, noonish, zulu, "1e30", "kwh", "ACTUAL"), 2, ""},
		"an endless value in NEM12":             {batch{media: nem}, nem12("kWh", "A", "", "1"+strings.Repeat("0", 30)), 3, ""},
		"a negative value in NEM12":             {batch{media: nem}, nem12("kWh", "A", "", "-0.1"), 3, ""},
		"a local time that does not exist": {
			batch{},
			csvHead + half(meter1, "2024-03-31T02:30:00+01:00", "2024-03-31T01:30:00Z", "1", "kwh", "ACTUAL"), 2,
			"field start: want a local time of Europe/Amsterdam, got 2024-03-31T02:30:00+01:00, which does not exist in Europe/Amsterdam",
		},
		"a date that does not exist":       {batch{}, csvHead + half(meter1, "2024-02-30T00:00:00+01:00", "2024-02-29T23:00:00Z", "1", "kwh", "ACTUAL"), 2, ""},
		"two times that differ":            {batch{}, csvHead + half(meter1, noonish, "2024-11-12T12:00:00Z", "1", "kwh", "ACTUAL"), 2, ""},
		"the future":                       {batch{}, csvHead + half(meter1, "2034-11-12T12:00:00+01:00", "2034-11-12T11:00:00Z", "1", "kwh", "ACTUAL"), 2, "field start: want readings that have been taken, got the future, 2034-11-12T11:00:00+00:00"},
		"a register twice":                 {batch{media: nem}, twice, 5, ""},
		"a file that was cut off":          {batch{media: nem}, strings.TrimSuffix(nem12("kWh", "A", ""), "900\n"), 4, ""},
		"a feed that was cut off":          {batch{media: "application/atom+xml"}, whole[:len(whole)/2], 0, ""},
		"an object that was cut off":       {batch{media: "application/x-ndjson"}, `{"supplyPoint":"NLD_ELECTRICITY:1"`, 1, ""},
		"an answer that was cut off":       {batch{media: "application/json"}, `{"data":{"reads":[`, 1, ""},
		"another partner's supply point":   {batch{}, csvHead + good + half("NLD_ELECTRICITY:2", noonish, zulu, "1", "kwh", "ACTUAL"), 3, "NLD_ELECTRICITY:2 is not a supply point that we know"},
		"nobody's supply point":            {batch{}, csvHead + good + half("NLD_ELECTRICITY:3", noonish, zulu, "1", "kwh", "ACTUAL"), 3, "NLD_ELECTRICITY:3 is not a supply point that we know"},
		"a supply point seen from another": {batch{token: "watt"}, csvHead + good, 2, "NLD_ELECTRICITY:1 is not a supply point that we know"},
		"an NMI that nobody knows":         {batch{media: nem}, strings.ReplaceAll(nem12("kWh", "A", ""), "NMI0000001", "NMI0000009"), 3, "AUS_ELECTRICITY:NMI0000009 is not a supply point that we know"},
		"another format":                   {batch{}, nem12("kWh", "A", ""), 1, ""},
		"a zip archive":                    {batch{}, "PK\x03\x04", 1, ""},
		"nothing":                          {batch{}, "", 1, "field file: want at least one reading, got an empty file"},
		"a packed body that was cut off":   {batch{coding: "gzip"}, cut[:len(cut)-5], 1, `field file: want one that unpacks as gzip, got "unexpected EOF"`},
		"a packed body that is none":       {batch{coding: "zstd"}, csvHead + good, 1, ""},
	} {
		t.Run(name, func(t *testing.T) {
			state := o.state(t)
			for _, mode := range []string{"", "?mode=strict"} {
				c.key, c.query = strings.ReplaceAll(url.QueryEscape(name), "+", "_"), mode
				got := o.submit(t, c.batch, c.body)
				if got.status != 422 || got.Status != 422 || got.Title != "Unprocessable Entity" || got.header.Get("Content-Type") != "application/problem+json" {
					t.Errorf("got %d %s, want a problem of status 422", got.status, got.body)
				}
				if c.line > 0 && got.Line != c.line || got.Line < 1 || got.Reason == "" || c.want != "" && got.Reason != c.want {
					t.Errorf("got %s\nwant line %d and the reason %q", got.body, c.line, c.want)
				}
				if !strings.Contains(got.Detail, got.Reason) {
					t.Errorf("got the detail %q without the reason %q", got.Detail, got.Reason)
				}
			}
			if got := o.state(t); got != state {
				t.Errorf("refused, and yet stored:\n%swant:\n%s", got, state)
			}
			// Its name is free.
			again := o.submit(t, batch{key: c.key}, csvHead+good)
			if again.status != 200 || again.Unchanged != 1 {
				t.Errorf("afterwards, under the same name: got %d %s, want it taken", again.status, again.body)
			}
		})
	}
}

// TestSubmitNotAtAll are requests that are refused for what they are, whatever
// the batch holds.
func TestSubmitNotAtAll(t *testing.T) {
	o := newOffice(t, func(h *customer.Host, _ *http.Server) { h.MaxBatch = 1 << 20 })
	good := csvHead + half(meter1, noonish, zulu, "0.1", "kwh", "ACTUAL")
	state := o.state(t)
	zeros := string(make([]byte, 8<<20))
	for name, c := range map[string]struct {
		batch
		body   string
		status int
		header string
		value  string
	}{
		"no token":                         {batch{token: "-", key: "k"}, good, 401, "Www-Authenticate", `Bearer error="invalid_token", resource_metadata="http://customer.test/.well-known/oauth-protected-resource"`},
		"a token for another API":          {batch{token: "elsewhere", key: "k"}, good, 401, "", ""},
		"a token without the permission":   {batch{token: "reader", key: "k"}, good, 403, "", ""},
		"a token that speaks for somebody": {batch{token: "customer", key: "k"}, good, 403, "", ""},
		"an application by consent":        {batch{token: "consented", key: "k"}, good, 403, "", ""},
		"no name":                          {batch{}, good, 400, "", ""},
		"a name with a blank":              {batch{key: "a b"}, good, 400, "", ""},
		"a name that is too long":          {batch{key: strings.Repeat("k", 256)}, good, 400, "", ""},
		"a name that is no ASCII":          {batch{key: "é"}, good, 400, "", ""},
		"an unknown parameter":             {batch{key: "k", query: "?dry=1"}, good, 400, "", ""},
		"a mode that is none":              {batch{key: "k", query: "?mode=most"}, good, 400, "", ""},
		"two modes":                        {batch{key: "k", query: "?mode=strict&mode=partial"}, good, 400, "", ""},
		"a reason that is too long":        {batch{key: "k", query: "?reason=" + strings.Repeat("x", 201)}, good, 400, "", ""},
		"a reason of two lines":            {batch{key: "k", query: "?reason=a%0ab"}, good, 400, "", ""},
		"a query that cannot be read":      {batch{key: "k", query: "?%zz"}, good, 400, "", ""},
		"a media type that is none":        {batch{key: "k", media: "/"}, good, 415, "Accept", "application/x-ndjson, text/csv, text/csv;profile=nem12, application/atom+xml, application/json"},
		"plain text":                       {batch{key: "k", media: "text/plain"}, good, 415, "", ""},
		"a zip archive":                    {batch{key: "k", media: "application/zip"}, good, 415, "", ""},
		"a profile that is none":           {batch{key: "k", media: "text/csv; profile=nem13"}, good, 415, "", ""},
		"CSV that is a feed":               {batch{key: "k", media: "text/csv; type=feed"}, good, 415, "", ""},
		"CSV without a head":               {batch{key: "k", media: "text/csv; header=absent"}, good, 415, "", ""},
		"another character set":            {batch{key: "k", media: "text/csv; charset=utf-16"}, good, 415, "", ""},
		"a coding that is none":            {batch{key: "k", coding: "br"}, good, 415, "Accept-Encoding", "gzip, zstd"},
		"two codings":                      {batch{key: "k", coding: "gzip, zstd"}, good, 415, "", ""},
		"too long":                         {batch{key: "k"}, zeros, 413, "", ""},
		"a bomb of gzip":                   {batch{key: "k", coding: "gzip"}, packed(t, "gzip", zeros), 413, "", ""},
		"a bomb of zstd":                   {batch{key: "k", coding: "zstd"}, packed(t, "zstd", zeros), 413, "", ""},
		"a bomb in a bomb":                 {batch{key: "k", coding: "gzip"}, packed(t, "gzip", packed(t, "gzip", zeros)), 422, "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := o.submit(t, c.batch, c.body)
			if got.status != c.status || got.Status != c.status || got.Detail == "" || got.Title != http.StatusText(c.status) || got.header.Get("Content-Type") != "application/problem+json" {
				t.Errorf("got %d %s, want a problem of status %d", got.status, got.body, c.status)
			}
			if c.header != "" && got.header.Get(c.header) != c.value {
				t.Errorf("%s: got %q, want %q", c.header, got.header.Get(c.header), c.value)
			}
			if now := o.state(t); now != state {
				t.Errorf("refused, and yet stored:\n%swant:\n%s", now, state)
			}
		})
	}
	for name, change := range map[string]func(*http.Request){
		"two names":           func(r *http.Request) { r.Header.Add("Idempotency-Key", "l") },
		"an empty name":       func(r *http.Request) { r.Header["Idempotency-Key"] = []string{""} },
		"two media types":     func(r *http.Request) { r.Header.Add("Content-Type", "text/csv") },
		"no media type":       func(r *http.Request) { r.Header.Del("Content-Type") },
		"a length of a tebi":  func(r *http.Request) { r.Header.Set("Expect", "100-continue"); r.ContentLength = 1 << 40 },
		"a body that is long": func(r *http.Request) { r.ContentLength = -1 },
	} {
		body := good
		if name == "a body that is long" {
			body = zeros
		}
		r := o.request(t, batch{token: "meter", key: "k", media: "text/csv", body: strings.NewReader(body)})
		change(r)
		want := map[string]int{"two media types": 415, "no media type": 415, "a length of a tebi": 413, "a body that is long": 413}[name]
		if want == 0 {
			want = 400
		}
		response, err := waiting.Do(r)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := response.Body.Close(); err != nil || response.StatusCode != want {
			t.Errorf("%s: got %s, want %d", name, response.Status, want)
		}
	}
	if got := o.state(t); got != state {
		t.Errorf("refused, and yet stored:\n%swant:\n%s", got, state)
	}
	if got := o.submit(t, batch{key: "k"}, good); got.status != 200 || got.Accepted != 1 {
		t.Errorf("in the end: got %d %s, want it taken", got.status, got.body)
	}
}

// TestSubmitWithoutRoom: where uploads cannot be kept, they are to come again.
func TestSubmitWithoutRoom(t *testing.T) {
	o := newOffice(t, func(h *customer.Host, _ *http.Server) { h.Spool = "/nowhere/at/all" })
	o.unwell = true
	got := o.submit(t, batch{key: "k"}, written(t, meterfile.CSV))
	if got.status != 503 || got.Detail != "this server cannot keep the upload at the moment" {
		t.Errorf("got %d %s, want 503", got.status, got.body)
	}
}

// FuzzSubmission: headers and query of any kind are read within their bounds, or
// are the sender's mistake.
func FuzzSubmission(f *testing.F) {
	f.Add("mode=partial&reason=x", "key", "text/csv; profile=nem12", "gzip")
	f.Add("", "", "application/json; charset=utf-8", "")
	f.Add("%zz", "a b", "/", "gzip, gzip")
	f.Fuzz(func(t *testing.T, query, key, media, coding string) {
		r := &http.Request{Method: http.MethodPost, URL: &url.URL{RawQuery: query}, Header: http.Header{
			"Idempotency-Key": {key}, "Content-Type": {media}, "Content-Encoding": {coding},
		}}
		s, err := customer.ReadSubmission(r)
		if err != nil {
			e, ok := errors.AsType[*domain.Error](err)
			if !ok || e.Kind != domain.Invalid {
				t.Fatalf("%q %q %q %q: got error %v, want the sender's mistake", query, key, media, coding, err)
			}
			return
		}
		if s.Key != key || key == "" || len(key) > 255 || len(s.Reason) > 200 || s.Format.MediaType() == "" {
			t.Fatalf("%q %q %q %q: got %+v", query, key, media, coding, s)
		}
	})
}

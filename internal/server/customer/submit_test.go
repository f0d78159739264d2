package customer_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/wattgate/wattgate/internal/authn"
	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/intake"
	"github.com/wattgate/wattgate/internal/interval"
	"github.com/wattgate/wattgate/internal/meterfile"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/store/sqlite"
)

// office is a customer host on a real connection, at which readings are handed
// in. Stroom has the meters 1 in Amsterdam, N in Sydney and E in Los Angeles,
// Watt has 2.
type office struct {
	store   *sqlite.Store
	url     string
	client  *http.Client
	log     bytes.Buffer // of the server
	unwell  bool         // the test wants errors of ours
	callers map[string]domain.Caller
}

// Present returns the caller whose name the token is.
func (o *office) Present(p *domain.Presentation, audience domain.Audience) (domain.Caller, error) {
	c, ok := o.callers[p.Token]
	switch {
	case p.Token == "":
		return domain.Caller{}, authn.ErrNoToken
	case !ok:
		return domain.Caller{}, authn.ErrInvalid
	case !c.Audiences.Has(audience):
		return domain.Caller{}, authn.ErrAudience
	}
	return c, nil
}

func newOffice(t *testing.T, change func(*customer.Host, *http.Server)) *office {
	t.Helper()
	ctx, spool := t.Context(), t.TempDir()
	store, err := sqlite.Open(ctx, ":memory:", sqlite.Options{Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	next := func() domain.Entry {
		n++
		return domain.Entry{ID: fmt.Sprintf("aud_office%04d", n), At: now, Action: "test.office", By: "test"}
	}
	errs := []error{
		store.AddPartner(ctx, domain.Partner{ID: stroom, Name: "Stroom", CreatedAt: now}, next()),
		store.AddPartner(ctx, domain.Partner{ID: watt, Name: "Watt", CreatedAt: now}, next()),
		store.AddProperty(ctx, domain.Property{ID: "prop_1", Partner: stroom, Zone: "Europe/Amsterdam"}, next()),
		store.AddProperty(ctx, domain.Property{ID: "prop_2", Partner: watt, Zone: "Europe/Amsterdam"}, next()),
		store.TakeIn(ctx, func(tx intake.Tx) (err error) {
			for _, p := range []domain.SupplyPoint{
				{Partner: stroom, Property: "prop_1", Market: domain.MarketNLDElectricity, Identifier: "1", Zone: "Europe/Amsterdam"},
				{Partner: stroom, Property: "prop_1", Market: domain.MarketAUSElectricity, Identifier: "NMI0000001", Zone: "+10:00"},
				{Partner: stroom, Property: "prop_1", Market: domain.MarketUSAElectricity, Identifier: "6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01", Zone: "America/New_York"},
				{Partner: watt, Property: "prop_2", Market: domain.MarketNLDElectricity, Identifier: "2", Zone: "Europe/Amsterdam"},
			} {
				_, err2 := tx.AddSupplyPoint(p)
				err = errors.Join(err, err2)
			}
			return err
		}),
	}
	may := domain.PermissionSet(domain.CanSubmitMeasurements)
	here := domain.AudienceSet(domain.AudienceMeasurements)
	caller := func(id domain.ClientID) domain.Caller {
		return domain.Caller{Partner: stroom, Client: id, Permissions: may, Audiences: here, Reach: domain.ReachPartner}
	}
	o := &office{store: store, callers: map[string]domain.Caller{"meter": caller("app_meter"), "second": caller("app_second")}}
	for name, spoil := range map[string]func(*domain.Caller){
		"reader":    func(c *domain.Caller) { c.Permissions = thirdParty },
		"elsewhere": func(c *domain.Caller) { c.Audiences = onCustomer },
		"customer":  func(c *domain.Caller) { c.User = ada },
		"consented": func(c *domain.Caller) { c.Reach = domain.ReachConsented },
		"watt":      func(c *domain.Caller) { c.Partner, c.Client = watt, "app_watt" },
	} {
		c := caller("app_meter")
		spoil(&c)
		o.callers[name] = c
	}
	host := &customer.Host{
		Tokens: o, URL: "http://customer.test", AuthURL: "http://auth.test",
		Intake: &intake.Importer{Store: store, Now: func() time.Time { return now }}, Spool: spool, Machine: time.Now,
	}
	srv := httptest.NewUnstartedServer(nil)
	srv.Config.ReadTimeout, srv.Config.WriteTimeout = 10*time.Second, 15*time.Second // as the program has them
	if change != nil {
		change(host, srv.Config)
	}
	table, err := host.Table()
	if err = errors.Join(append(errs, err)...); err != nil {
		t.Fatal(err)
	}
	hosts, err := (&server.Serving{Log: slog.New(slog.NewJSONHandler(&o.log, nil)), Now: func() time.Time { return now }}).OneOrigin(table)
	if err != nil {
		t.Fatal(err)
	}
	srv.Config.Handler = hosts
	if srv.Config.TLSConfig != nil { // asked for; it is to be the test server's own
		srv.Config.TLSConfig, srv.EnableHTTP2 = nil, true
		srv.StartTLS()
	} else {
		srv.Start()
	}
	o.client = srv.Client()
	o.url = srv.URL + "/v1/measurements"
	t.Cleanup(func() {
		srv.Close()
		if log := o.log.String(); strings.Contains(log, "871685") || strings.Contains(log, "NLD_") || strings.Contains(log, "field ") || strings.Contains(log, "ERROR") && !o.unwell {
			t.Errorf("the log tells what batches hold, or of faults of ours:\n%s", log)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(spool); err != nil || len(left) > 0 {
			t.Errorf("left in the folder of uploads: %v, error %v", left, err)
		}
	})
	return o
}

// batch is a request to submit.
type batch struct {
	token, key, media, coding, query string
	body                             io.Reader
}

// answered is what came of it.
type answered struct {
	status                         int
	header                         http.Header
	proto, body                    string
	Batch                          string
	Accepted, Corrected, Unchanged int64
	Rejected                       []intake.Rejection
	RejectedCount                  int64
	Title, Detail, Reason          string
	Status, Line                   int
}

func (o *office) request(t *testing.T, b batch) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, o.url+b.query, b.body)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{"Authorization": b.token, "Idempotency-Key": b.key, "Content-Type": b.media, "Content-Encoding": b.coding} {
		if value != "" {
			r.Header.Set(name, value)
		}
	}
	return r
}

func (o *office) do(t *testing.T, r *http.Request) answered {
	t.Helper()
	response, err := o.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		t.Fatal(err)
	}
	a := answered{status: response.StatusCode, header: response.Header, proto: response.Proto, body: string(body)}
	if err := json.Unmarshal(body, &a); err != nil {
		t.Fatalf("%v in %d %q", err, a.status, body)
	}
	return a
}

// submit sends a batch of CSV, unless it says otherwise, by the metering
// application.
func (o *office) submit(t *testing.T, b batch, body string) answered {
	t.Helper()
	if b.token == "" {
		b.token = "meter"
	}
	if b.media == "" {
		b.media = "text/csv"
	}
	b.body = strings.NewReader(body)
	return o.do(t, o.request(t, b))
}

// state is all that a refusal must not change.
func (o *office) state(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	entries, err := o.store.Entries(t.Context(), "", 10_000)
	fmt.Fprintln(&b, len(entries), err)
	for _, p := range []struct {
		partner  domain.PartnerID
		property domain.PropertyID
	}{{stroom, "prop_1"}, {watt, "prop_2"}} {
		channels, err := o.store.Channels(t.Context(), domain.Scope{Partner: p.partner}, p.property)
		fmt.Fprintln(&b, p.partner, err)
		for _, c := range channels {
			err := o.store.Days(t.Context(), c.ID, domain.DayRange{First: 0, Last: domain.NewDate(2030, 1, 1)}, func(d domain.Day) error {
				fmt.Fprintf(&b, "%s %s %s %s/%d %x\n", c.SupplyPoint.Name(), c.Register, c.Direction, d.Date, d.Revision, d.Data)
				return nil
			})
			err2 := o.store.Indices(t.Context(), c.ID, domain.IndexRange{From: time.Unix(0, 0), To: now}, func(i domain.Index) error {
				fmt.Fprintf(&b, "%s %s %v/%d %s\n", c.SupplyPoint.Name(), c.Register, i.At, i.Revision, i.Value)
				return nil
			})
			if err = errors.Join(err, err2); err != nil {
				t.Fatal(err)
			}
		}
	}
	return b.String()
}

// block is 48 half hours of a meter.
func block(t *testing.T, market domain.Market, identifier, register, zone string) *meterfile.Block {
	t.Helper()
	loc, err := interval.Zone(zone)
	if err != nil {
		t.Fatal(err)
	}
	start, _ := interval.Span(domain.NewDate(2024, 11, 12), loc)
	b := &meterfile.Block{
		Channel: meterfile.Channel{Market: market, Identifier: identifier, Register: register, Unit: domain.KilowattHour, Zone: zone},
		Start:   start.In(loc), Minutes: 30, Scale: 3,
	}
	for i := range 48 {
		b.Values, b.Quality = append(b.Values, int64(i)), append(b.Quality, domain.Actual)
	}
	return b
}

// written is a day of a meter in a format.
func written(t *testing.T, f meterfile.Format) string {
	t.Helper()
	b := block(t, domain.MarketNLDElectricity, "1", "1", "Europe/Amsterdam")
	switch f {
	case meterfile.NEM12, meterfile.CDR:
		b = block(t, domain.MarketAUSElectricity, "NMI0000001", "E1", "+10:00")
	case meterfile.ESPI:
		b = block(t, domain.MarketUSAElectricity, "6d1c1c1a-6f7e-4a53-8a0e-3a4b5c6d7e01", "1", "America/New_York")
	case meterfile.CSV, meterfile.NDJSON, meterfile.JSON, meterfile.NEM13, meterfile.DSMR, meterfile.Parquet:
	}
	var out bytes.Buffer
	w, err := meterfile.NewWriter(f, &out, meterfile.Export{Now: now, From: b.Start, To: b.Start.AddDate(0, 0, 1)})
	if err == nil {
		err = errors.Join(w.Write(b), w.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestSubmitEveryFormat(t *testing.T) {
	o := newOffice(t, nil)
	for media, format := range map[string]meterfile.Format{
		"text/csv": meterfile.CSV, "application/x-ndjson": meterfile.NDJSON, "text/csv; profile=nem12": meterfile.NEM12,
		"application/atom+xml": meterfile.ESPI, "application/json": meterfile.CDR,
		"Text/CSV; charset=UTF-8; header=present": meterfile.CSV, "text/csv;profile=NEM12;charset=utf-8": meterfile.NEM12,
		"application/atom+xml; type=feed": meterfile.ESPI, "application/json; charset=utf-8": meterfile.CDR,
	} {
		got := o.submit(t, batch{key: strings.ReplaceAll(media, " ", "_"), media: media}, written(t, format))
		if got.status != 200 || got.Batch != strings.ReplaceAll(media, " ", "_") || got.Accepted+got.Unchanged != 48 || !strings.Contains(got.body, `"rejected":[]`) {
			t.Errorf("%s: got %d %s, want 48 readings taken", media, got.status, got.body)
		}
	}
	entries, err := o.store.Entries(t.Context(), "", 10)
	if err != nil {
		t.Fatal(err)
	}
	e := entries[len(entries)-1]
	if e.Action != "measurements.import" || e.Client != "app_meter" || e.By != "CAN_SUBMIT_MEASUREMENTS" || e.RequestID == "" || e.Partner != stroom {
		t.Errorf("audit: got %+v, want who submitted, by which permission", e)
	}
}

// packed is a body as Content-Encoding says.
func packed(t testing.TB, coding, body string) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	var err error
	switch coding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zstd":
		w, err = zstd.NewWriter(&b)
	default:
		return body
	}
	if err == nil {
		_, err = io.WriteString(w, body)
	}
	if err = errors.Join(err, w.Close()); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestSubmitOnce: the same batch again, packed in any way, gets the same answer;
// another one under its name is a conflict.
func TestSubmitOnce(t *testing.T) {
	o := newOffice(t, nil)
	csv := written(t, meterfile.CSV)
	first := o.submit(t, batch{key: "one"}, csv)
	state := o.state(t)
	for _, coding := range []string{"", "identity", "gzip", "zstd"} {
		got := o.submit(t, batch{key: "one", coding: coding}, packed(t, coding, csv))
		if got.status != 200 || got.body != first.body || got.Accepted != 48 {
			t.Errorf("%s: got %d %s, want as before: %s", coding, got.status, got.body, first.body)
		}
	}
	other := strings.Replace(csv, ",0.001,", ",0.9,", 1)
	if got := o.submit(t, batch{key: "one"}, other); got.status != 409 || got.Detail != `batch "one" has come before with other content` {
		t.Errorf("other content: got %d %s, want a conflict", got.status, got.body)
	}
	if got := o.submit(t, batch{key: "one", query: "?mode=partial"}, csv); got.status != 409 {
		t.Errorf("another mode: got %d %s, want a conflict", got.status, got.body)
	}
	if got := o.state(t); got != state {
		t.Errorf("repetitions and conflicts changed something:\n%swant:\n%s", got, state)
	}
	if got := o.submit(t, batch{key: "two", coding: "zstd", query: "?mode=strict&reason=meter+exchanged"}, packed(t, "zstd", other)); got.Corrected != 1 || got.Unchanged != 47 {
		t.Errorf("corrected: got %d %s, want 1 of 48", got.status, got.body)
	}
	if got := o.submit(t, batch{key: "one", token: "second"}, other); got.status != 200 || got.Unchanged != 48 {
		t.Errorf("another application's batch of that name: got %d %s, want it taken", got.status, got.body)
	}
}

func TestSubmitInPart(t *testing.T) {
	o := newOffice(t, nil)
	csv := written(t, meterfile.CSV)
	lines := strings.SplitAfter(csv, "\n")
	lines[3] = strings.Replace(lines[3], "kwh", "", 1)
	lines[5] = strings.Replace(lines[5], "NLD_ELECTRICITY:1,", "NLD_ELECTRICITY:2,", 1)
	got := o.submit(t, batch{key: "one", query: "?mode=partial"}, strings.Join(lines, ""))
	want := []intake.Rejection{{Line: 4, Reason: "field unit: want kwh, wh, m3, kvarh or varh, got nothing"}, {Line: 6, Reason: "NLD_ELECTRICITY:2 is not a supply point that we know"}}
	if got.status != 200 || got.Accepted != 46 || len(got.Rejected) != 2 || got.Rejected[0] != want[0] || got.Rejected[1] != want[1] || strings.Contains(got.body, "rejectedCount") {
		t.Errorf("got %d %s, want 46 taken and rejected: %+v", got.status, got.body, want)
	}
	got = o.submit(t, batch{key: "two", query: "?mode=partial"}, lines[0]+strings.Repeat("x\n", 1200))
	if len(got.Rejected) != 1000 || got.RejectedCount != 1200 {
		t.Errorf("1200 wrong lines: got %d listed, %d in all, want 1000 and 1200", len(got.Rejected), got.RejectedCount)
	}
}

// waiting sends no body before the server asks for it.
var waiting = &http.Client{Transport: &http.Transport{ExpectContinueTimeout: time.Minute}}

// unread counts how much of it is read.
type unread struct{ bytes int }

func (u *unread) Read(p []byte) (int, error) {
	u.bytes += len(p)
	return len(p), nil
}

// TestSubmitTooMany: beyond four uploads of an application and sixteen in all
// the next waits outside, with its body.
func TestSubmitTooMany(t *testing.T) {
	o := newOffice(t, nil)
	for i := range 4 {
		c := o.callers["meter"]
		c.Client = domain.ClientID(fmt.Sprintf("app_%d", i))
		if i > 1 {
			c.Partner = "prt_large"
		}
		o.callers[fmt.Sprint(i)] = c
	}
	var ends []func()
	hold := func(token string) {
		t.Helper()
		reader, writer := io.Pipe()
		r := o.request(t, batch{token: token, key: "held", media: "text/csv", body: reader})
		r.Header.Set("Expect", "100-continue")
		done := make(chan error, 1)
		go func() {
			response, err := waiting.Do(r)
			if err == nil {
				err = response.Body.Close()
			}
			done <- err
		}()
		if _, err := io.WriteString(writer, "x"); err != nil { // it was asked for: the upload is inside
			t.Fatal(err)
		}
		ends = append(ends, func() {
			_ = writer.Close()
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
	refused := func(token, want string) {
		t.Helper()
		body := &unread{}
		r := o.request(t, batch{token: token, key: "next", media: "text/csv", body: body})
		r.Header.Set("Expect", "100-continue")
		response, err := waiting.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		var problem struct{ Detail string }
		err = errors.Join(json.NewDecoder(response.Body).Decode(&problem), response.Body.Close())
		if err != nil || response.StatusCode != 429 || response.Header.Get("Retry-After") != "5" || problem.Detail != want || body.bytes > 0 {
			t.Errorf("got %s, Retry-After %q, %q, error %v and %d bytes read, want %q and none",
				response.Status, response.Header.Get("Retry-After"), problem.Detail, err, body.bytes, want)
		}
	}
	for range 4 {
		hold("0")
	}
	refused("0", "this application has 4 uploads under way; come again after one of them")
	for _, token := range []string{"1", "2", "3"} {
		for range 4 {
			hold(token)
		}
		if token == "1" {
			refused("meter", "this partner has 8 uploads under way; come again after one of them")
		}
	}
	other := o.callers["meter"]
	other.Client, other.Partner = "app_other", "prt_other"
	o.callers["other"] = other
	refused("other", "too many uploads are under way; try again")
	for _, end := range ends {
		end()
	}
	if got := o.submit(t, batch{key: "next"}, written(t, meterfile.CSV)); got.status != 200 {
		t.Errorf("afterwards: got %d %s, want it taken", got.status, got.body)
	}
}

// TestSubmitSlowly: an upload that does not come fast enough is given up. As
// much comes as the patience of 30 seconds asks for, and then nothing more; the
// connections' clock is a minute behind by then, so that the next patience is
// over before it begins, however fast the machine is.
func TestSubmitSlowly(t *testing.T) {
	const enough = 30 * 8192
	o := newOffice(t, func(h *customer.Host, _ *http.Server) {
		asked := 0
		h.Machine = func() time.Time {
			if asked++; asked == 2 {
				return time.Now().Add(-time.Minute)
			}
			return time.Now()
		}
	})
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	body := io.MultiReader(strings.NewReader(strings.Repeat("x", enough)), reader)
	got := o.do(t, o.request(t, batch{token: "meter", key: "slow", media: "text/csv", body: body}))
	if got.status != 408 || got.Detail != "The upload was slower than 8192 bytes a second for 30 seconds." {
		t.Errorf("got %d %s, want 408", got.status, got.body)
	}
}

// TestSubmitGone: a sender who hangs up has submitted nothing.
func TestSubmitGone(t *testing.T) {
	left := make(chan error, 1)
	o := newOffice(t, func(h *customer.Host, _ *http.Server) { h.Intake = seen{h.Intake, left} })
	o.unwell = true
	state := o.state(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := o.request(t, batch{token: "meter", key: "gone", media: "text/csv", body: strings.NewReader(written(t, meterfile.CSV))}).WithContext(ctx)
	go func() {
		<-left // the body has come
		cancel()
		left <- nil
	}()
	if response, err := o.client.Do(r); err == nil {
		t.Errorf("got %s, want no answer", response.Status)
		_ = response.Body.Close()
	}
	if err := <-left; err == nil {
		t.Error("the batch was taken although its sender had gone")
	}
	if got := o.state(t); got != state {
		t.Errorf("stored:\n%swant:\n%s", got, state)
	}
}

// seen tells when a batch has come, waits until its sender has gone, and tells
// what came of it.
type seen struct {
	customer.Intake
	tell chan error
}

func (s seen) Take(ctx context.Context, b intake.Batch, f intake.File, to intake.Target, progress func(int64)) (intake.Report, error) {
	s.tell <- nil
	<-s.tell
	<-ctx.Done()
	r, err := s.Intake.Take(ctx, b, f, to, progress)
	s.tell <- err
	return r, err
}

// TestSubmitLong: reading a batch may take longer than the server's timeouts, in
// both versions of HTTP. The timeouts are long enough for a busy machine to
// shake hands in.
func TestSubmitLong(t *testing.T) {
	timeout := time.Second
	if detector {
		timeout = 4 * time.Second
	}
	for want, config := range map[string]*tls.Config{"HTTP/1.1": nil, "HTTP/2.0": {}} {
		t.Run(want, func(t *testing.T) {
			t.Parallel() // they only wait
			o := newOffice(t, func(h *customer.Host, s *http.Server) {
				h.Intake = long{h.Intake, timeout + timeout/4}
				s.ReadTimeout, s.WriteTimeout, s.IdleTimeout, s.TLSConfig = timeout, timeout, time.Minute, config
			})
			for _, key := range []string{"one", "two"} { // the connection is good for another one
				got := o.submit(t, batch{key: key}, written(t, meterfile.CSV))
				if got.status != 200 || got.Accepted+got.Unchanged != 48 || got.proto != want {
					t.Errorf("got %s %d %s, want it taken by %s", got.proto, got.status, got.body, want)
				}
			}
		})
	}
}

// long takes its time, unless its sender goes.
type long struct {
	customer.Intake
	time.Duration
}

func (l long) Take(ctx context.Context, b intake.Batch, f intake.File, to intake.Target, progress func(int64)) (intake.Report, error) {
	select {
	case <-time.After(l.Duration):
		return l.Intake.Take(ctx, b, f, to, progress)
	case <-ctx.Done():
		return intake.Report{}, ctx.Err()
	}
}

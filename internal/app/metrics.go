package app

import (
	"fmt"
	"math"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/VictoriaMetrics/metrics"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
	"github.com/wattgate/wattgate/internal/server/customer"
	"github.com/wattgate/wattgate/internal/webhook"
)

// measures counts what the server answers, for the operator's monitoring.
type measures struct {
	set   *metrics.Set
	known sync.Map // series -> *meter
}

type series struct {
	host, route string
	status      int
}

type meter struct {
	requests *metrics.Counter
	seconds  *spread
}

// spread is how spans of time are distributed, in the form of a Prometheus
// histogram: each bucket counts what is not longer, the last one everything.
type spread struct {
	buckets []*metrics.Counter
	sum     *metrics.FloatCounter
	count   *metrics.Counter
}

func newSpread(set *metrics.Set, name, labels string) *spread {
	s := &spread{sum: set.GetOrCreateFloatCounter(name + "_sum{" + labels + "}"), count: set.GetOrCreateCounter(name + "_count{" + labels + "}")}
	for _, most := range append(slices.Clone(buckets), math.Inf(1)) {
		le := strconv.FormatFloat(most, 'g', -1, 64) // +Inf for the last
		s.buckets = append(s.buckets, set.GetOrCreateCounter(fmt.Sprintf("%s_bucket{%s,le=%q}", name, labels, le)))
	}
	return s
}

func (s *spread) add(seconds float64) {
	for i, most := range buckets {
		if seconds <= most {
			s.buckets[i].Inc()
		}
	}
	s.buckets[len(buckets)].Inc()
	s.sum.Add(seconds)
	s.count.Inc()
}

// buckets are the spans of time, in seconds, in which answers are counted.
var buckets = []float64{.00005, .0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5}

func newMeasures() *measures { return &measures{set: metrics.NewSet()} }

// observe counts one answer. The labels are the table's, never the client's.
func (m *measures) observe(host, route string, status int, took time.Duration) {
	key := series{host, route, status}
	v, ok := m.known.Load(key)
	if !ok {
		labels := fmt.Sprintf("host=%q,path=%q", host, route)
		v, _ = m.known.LoadOrStore(key, &meter{
			m.set.GetOrCreateCounter(fmt.Sprintf("wattgate_requests_total{%s,status=\"%d\"}", labels, status)),
			newSpread(m.set, "wattgate_request_seconds", labels),
		})
	}
	c := v.(*meter)
	c.requests.Inc()
	if status != http.StatusSwitchingProtocols { // which takes as long as somebody listens
		c.seconds.add(took.Seconds())
	}
}

// news counts subscriptions and what web hooks are sent.
func (m *measures) news(s *customer.Sockets, d *webhook.Deliverer) {
	for name, value := range map[string]func() int64{
		"wattgate_websocket_connections":                       func() int64 { return s.Counts().Connections },
		"wattgate_subscriptions":                               func() int64 { return s.Counts().Subscriptions },
		"wattgate_subscription_events_total":                   func() int64 { return s.Counts().Events },
		`wattgate_webhook_attempts_total{outcome="delivered"}`: func() int64 { return d.Counts().Delivered },
		`wattgate_webhook_attempts_total{outcome="retried"}`:   func() int64 { return d.Counts().Retried },
		`wattgate_webhook_attempts_total{outcome="failed"}`:    func() int64 { return d.Counts().Failed },
		`wattgate_webhook_attempts_total{outcome="withheld"}`:  func() int64 { return d.Counts().Withheld },
	} {
		m.set.GetOrCreateGauge(name, func() float64 { return float64(value()) })
	}
}

// write writes everything in the text format of Prometheus, with what the process
// and the runtime say of themselves.
func (m *measures) write(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
	m.set.WritePrometheus(w)
	metrics.WriteProcessMetrics(w)
}

// operator answers what an operator's own tools ask: /metrics in the text format
// of Prometheus, and whether all is well.
func (a *App) operator(m *measures) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", m.write)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		server.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.store.Check(r.Context()); err != nil {
			server.Plain().WriteError(w, &domain.Error{Kind: domain.Unavailable, Public: "not ready", Err: err})
			return
		}
		text := "ready\n"
		if a.ailing.Load() {
			text = "degraded: what was stored last cannot be written back from the database's log\n"
		}
		server.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte(text))
	})
	return mux
}

package app

import (
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/server"
)

// metrics counts what the server answers, for the operator's monitoring.
type metrics struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	known    sync.Map // series -> *meter
}

type series struct {
	host, route string
	status      int
}

type meter struct {
	requests prometheus.Counter
	seconds  prometheus.Observer
}

func newMetrics() *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "wattgate_requests_total", Help: "Requests answered, by host, path and status.",
		}, []string{"host", "path", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "wattgate_request_seconds", Help: "Time from the first byte of a handler to its last, in seconds.",
			Buckets: []float64{.00005, .0001, .0005, .001, .005, .01, .05, .1, .5, 1, 5},
		}, []string{"host", "path"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// observe counts one answer. The labels are the table's, never the client's.
func (m *metrics) observe(host, route string, status int, took time.Duration) {
	key := series{host, route, status}
	v, ok := m.known.Load(key)
	if !ok {
		v, _ = m.known.LoadOrStore(key, &meter{
			m.requests.WithLabelValues(host, route, strconv.Itoa(status)), m.seconds.WithLabelValues(host, route),
		})
	}
	c := v.(*meter)
	c.requests.Inc()
	c.seconds.Observe(took.Seconds())
}

// operator answers what an operator's own tools ask: /metrics in the text format
// of Prometheus, and whether all is well.
func (a *App) operator(m *metrics) *http.ServeMux {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		server.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ok\n"))
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, r *http.Request) {
		if err := a.store.Check(r.Context()); err != nil {
			server.Plain().WriteError(w, &domain.Error{Kind: domain.Unavailable, Public: "not ready", Err: err})
			return
		}
		server.WriteBody(w, http.StatusOK, "text/plain; charset=utf-8", []byte("ready\n"))
	})
	return mux
}

package meter

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
)

// victoria is VictoriaMetrics. It acknowledges before anything is safe.
type victoria struct{}

func (victoria) name() string    { return "VictoriaMetrics" }
func (victoria) program() string { return "victoria-metrics" }
func (victoria) health() string  { return "/health" }

func (victoria) command(folder string, port int) ([]string, error) {
	return []string{
		"-storageDataPath=" + folder, fmt.Sprintf("-httpListenAddr=127.0.0.1:%d", port), "-retentionPeriod=100y",
		"-search.maxPointsPerTimeseries=1000000", "-loggerLevel=ERROR",
	}, nil
}

func (victoria) create(context.Context, *running) error { return nil }

func (victoria) put(ctx context.Context, at *running, s *street, points, n int) error {
	var body []byte
	for point := range points {
		d := s.day(point, n)
		body = fmt.Appendf(body, `{"metric":{"__name__":"reading","point":"%d"},"values":[`, point)
		for i, v := range d.Values {
			if i > 0 {
				body = append(body, ',')
			}
			body = strconv.AppendInt(body, v, 10)
		}
		body = append(body, `],"timestamps":[`...)
		for i := range d.Values {
			if i > 0 {
				body = append(body, ',')
			}
			body = strconv.AppendInt(body, d.At(i)*1000, 10)
		}
		body = append(body, "]}\n"...)
	}
	_, err := at.ask(ctx, "/api/v1/import", nil, body)
	return err
}

func (victoria) read(ctx context.Context, at *running, point int, from, to int64) (n int, err error) {
	text, err := at.ask(ctx, "/api/v1/export", url.Values{
		"match[]": {fmt.Sprintf(`reading{point="%d"}`, point)},
		"start":   {strconv.FormatInt(from, 10)},
		"end":     {strconv.FormatInt(to-1, 10)}, // it belongs to the span
	}, nil)
	if err != nil {
		return 0, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	for lines.Scan() {
		var series struct {
			Values     []float64 `json:"values"`
			Timestamps []int64   `json:"timestamps"`
		}
		if err := json.Unmarshal(lines.Bytes(), &series); err != nil {
			return 0, err
		}
		n += len(series.Values)
	}
	return n, lines.Err()
}

func (victoria) weight(ctx context.Context, at *running) (int64, error) { return at.rest(ctx) }

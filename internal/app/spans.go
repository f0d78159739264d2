package app

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/wattgate/wattgate/internal/token"
)

// spans are the settings that are spans of time, with the longest that each
// may be.
var spans = map[string]struct {
	text func(*Config) string
	most time.Duration
}{
	"key-rotation": {func(c *Config) string { return c.KeyRotation }, 10 * 365 * 24 * time.Hour},
	"key-publish":  {func(c *Config) string { return c.KeyPublish }, 365 * 24 * time.Hour},
	"jwks-max-age": {func(c *Config) string { return c.JWKSMaxAge }, 7 * 24 * time.Hour},
	"seal-after":   {func(c *Config) string { return c.SealAfter }, 365 * 24 * time.Hour},
}

// span returns a setting that [Config.Validate] has found good.
func (c *Config) span(name string) time.Duration {
	d, err := parseSpan(spans[name].text(c))
	if err != nil {
		return 0
	}
	return d
}

// wrongSpans reports every mistake in spans of time.
func (c *Config) wrongSpans(wrong func(name, format string, args ...any)) {
	good := true
	for _, s := range Settings {
		limit, ok := spans[s.Name]
		if !ok {
			continue
		}
		text := limit.text(c)
		d, err := parseSpan(text)
		switch {
		case err != nil:
			wrong(s.Name, "%q is not a span of time such as 90d, 24h, 5m or 30s", text)
		case d > limit.most:
			wrong(s.Name, "%q is longer than %d days", text, limit.most/(24*time.Hour))
		default:
			continue
		}
		good = false
	}
	if !good {
		return
	}
	policy := token.Policy{Publish: c.span("key-publish"), MaxAge: c.span("jwks-max-age")}
	if r := c.span("key-rotation"); r > 0 && r < policy.Wait() {
		wrong("key-rotation", "%q is shorter than the %s for which a key is published before it signs", c.KeyRotation, policy.Wait())
	}
}

// parseSpan reads whole seconds: 0, 90d, 24h, 5m, 1h30m.
func parseSpan(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(text)
	if err == nil && (d < 0 || d%time.Second != 0) {
		err = errors.New("not whole seconds")
	}
	return d, err
}

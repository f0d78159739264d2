package app_test

import (
	"strings"
	"testing"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// TestGoldenSubmit holds what an application that submits readings gets against
// files.
func TestGoldenSubmit(t *testing.T) {
	s := newStage(t)
	d := s.demo
	id, secret := s.application(t, registry.NewApplication{Name: "submits", Role: domain.RoleMeteringIntegration})
	token := "Authorization: Bearer " + s.token(t, "/token/", form(with(grant, credentials(id, secret))...))
	line := func(point, local, utc, value, unit string) string {
		return "NLD_ELECTRICITY:" + point + ",golden,CONSUMPTION," + local + "," + utc + ",30," + value + "," + unit + ",ACTUAL\n"
	}
	head := "supply_point,register,direction,start_local,start_utc,minutes,value,unit,quality\n"
	mine := string(d.HouseholdSupplyPoint)
	good := line(mine, "2026-01-05T00:00:00+01:00", "2026-01-04T23:00:00Z", "0.125", "kwh") + line(mine, "2026-01-05T00:30:00+01:00", "2026-01-04T23:30:00Z", "0.250", "kwh")
	wrong := line(mine, "2026-01-05T01:00:00+01:00", "2026-01-05T00:00:00Z", "0.125", "")
	send := func(query, key, media, body string, headers ...string) string {
		return post("/v1/measurements"+query, media, body, append([]string{"Idempotency-Key: " + key}, append(headers, token)...)...)
	}
	take := func(name, query, key, body string) map[string]string {
		return map[string]string{name: send(query, key, "text/csv", body)}
	}
	names := append(s.names(), mask{string(id), "<metering-client-id>"})
	g := newGolden(t, "submit")
	for _, step := range []map[string]string{ // one after another: they build on each other
		take("taken", "", "2026-01-05", head+good),
		take("repeated", "", "2026-01-05", head+good),
		take("conflict", "", "2026-01-05", head+strings.Replace(good, "0.250", "0.375", 1)),
		take("corrected", "?reason=meter+exchanged", "2026-01-05-b", head+strings.Replace(good, "0.250", "0.375", 1)),
		take("refused", "", "2026-01-06", head+good+wrong),
		take("in-part", "?mode=partial", "2026-01-06", head+strings.Replace(good, "0.250", "0.500", 1)+wrong),
		take("unknown", "", "2026-01-07", head+strings.ReplaceAll(good, mine, "871685900099999999")),
		take("parameter", "?dry=1", "2026-01-07", head+good),
		{"no-name": post("/v1/measurements", "text/csv", head+good, token)},
		{"no-token": post("/v1/measurements", "text/csv", head+good, "Idempotency-Key: 2026-01-07")},
		{"no-permission": post("/v1/measurements", "text/csv", head+good, "Idempotency-Key: 2026-01-07", "Authorization: Bearer "+s.partner)},
		{"media-type": send("", "2026-01-07", "text/plain", head+good)},
		{"coding": send("", "2026-01-07", "text/csv", head+good, "Content-Encoding: br")},
		{"long": request("POST", "/v1/measurements", "Idempotency-Key: 2026-01-07", "Content-Type: text/csv", "Content-Length: 268435457", "Expect: 100-continue", token)},
		{"method": request("PUT", "/v1/measurements", token)},
	} {
		for name, request := range step {
			g.check(t, name+".http", names.record(request, s.ask(t, request)))
		}
	}
	g.done(t)
}

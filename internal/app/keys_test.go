package app_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/app"
)

func TestSpansOfKeys(t *testing.T) {
	type from = map[string]string
	for name, c := range map[string]struct {
		flags from
		want  string // of the mistake; empty: none
	}{
		"the defaults":                       {nil, ""},
		"never":                              {from{"key-rotation": "0"}, ""},
		"tiny":                               {from{"key-rotation": "10s", "key-publish": "0", "jwks-max-age": "5s"}, ""},
		"days":                               {from{"key-rotation": "365d", "key-publish": "7d"}, ""},
		"mixed units":                        {from{"key-publish": "1h30m"}, ""},
		"no unit":                            {from{"key-rotation": "90"}, `key-rotation (--key-rotation): "90" is not a span of time`},
		"negative":                           {from{"key-publish": "-1h"}, "key-publish (--key-publish): "},
		"half a second":                      {from{"jwks-max-age": "500ms"}, "jwks-max-age (--jwks-max-age): "},
		"a day and a half":                   {from{"key-rotation": "1.5d"}, "key-rotation (--key-rotation): "},
		"too long":                           {from{"jwks-max-age": "8d"}, `"8d" is longer than 7 days`},
		"shorter than published":             {from{"key-rotation": "23h"}, `"23h" is shorter than the 24h0m0s for which`},
		"shorter than twice the max-age":     {from{"key-rotation": "90m", "key-publish": "0", "jwks-max-age": "1h"}, "shorter than the 2h0m0s"},
		"two mistakes, and no third of them": {from{"key-rotation": "x", "key-publish": "y"}, `"y" is not a span`},
	} {
		_, err := app.Load(sources(t, "", nil, c.flags))
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v: got %v, want %q", name, c.flags, err, c.want)
		}
	}
}

// keys runs a verb beside the live server.
func (w *world) keys(t *testing.T, verb string, in any) []app.KeyView {
	t.Helper()
	admin, err := app.Dial(w.Config, nil)
	if err != nil {
		t.Fatal(err)
	}
	var out []app.KeyView
	if err := admin.Do(t.Context(), verb, in, &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// TestKeysHaveTakenEffect before the verb returns, and leave entries.
func TestKeysHaveTakenEffect(t *testing.T) {
	w := newWorld(t)
	kids := func() (list []string) {
		var set struct{ Keys []struct{ Kid string } }
		if err := json.Unmarshal([]byte(w.ask(t, request("GET", "/.well-known/jwks.json", "Connection: close")).body), &set); err != nil {
			t.Fatal(err)
		}
		for _, k := range set.Keys {
			list = append(list, k.Kid)
		}
		return list
	}
	first := w.keys(t, "keys.list", struct{}{})
	if len(first) != 1 || first[0].State != "active" || first[0].ActiveSince == nil || first[0].SignsFrom != nil || first[0].RemovedAfter != nil {
		t.Fatalf("at first: %+v", first)
	}
	two := w.keys(t, "keys.rotate", app.KeyRotate{})
	if len(two) != 2 || two[1].State != "published" || two[1].SignsFrom == nil || !two[1].SignsFrom.Equal(noon.Add(24*time.Hour)) || two[1].ActiveSince != nil {
		t.Fatalf("after rotate: %+v", two)
	}
	if got := kids(); len(got) != 2 || got[1] != two[1].ID {
		t.Errorf("JWKS has %v, want both of %+v", got, two)
	}
	w.clock.move(24 * time.Hour)
	later := w.keys(t, "keys.list", struct{}{})
	if later[0].State != "retired" || later[0].RemovedAfter == nil || !later[0].RemovedAfter.Equal(noon.Add(25*time.Hour+time.Minute)) || later[1].State != "active" {
		t.Errorf("a day later: %+v", later)
	}
	now := w.keys(t, "keys.rotate", app.KeyRotate{Now: true})
	if got := kids(); len(now) != 3 || now[0].State != "removed" || now[1].State != "removed" || now[2].State != "active" || len(got) != 1 || got[0] != now[2].ID {
		t.Errorf("after the emergency: %+v, JWKS %v", now, got)
	}
	entries, err := w.Engine().Entries(t.Context(), "", 1000)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		if action, ok := strings.CutPrefix(e.Action, "key."); ok {
			got = append(got, action+" by "+e.By)
		}
	}
	const want = "publish by schedule, activate by schedule, publish by command line, " +
		"retire by schedule, activate by schedule, " +
		"drop by command line, drop by command line, publish by command line, activate by command line"
	if text := strings.Join(got, ", "); text != want {
		t.Errorf("entries\n got %s\nwant %s", text, want)
	}
}

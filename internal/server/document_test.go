package server_test

import (
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/server"
)

func TestConditionalRequests(t *testing.T) {
	d := server.Document{Type: "application/json", Body: []byte("{}"), ETag: `"v1"`, MaxAge: 90 * time.Second}
	for name, c := range map[string]struct {
		header []string
		status int
	}{
		"nothing":                    {nil, 200},
		"the tag":                    {[]string{`"v1"`}, 304},
		"the weak form":              {[]string{`W/"v1"`}, 304},
		"another tag":                {[]string{`"v2"`}, 200},
		"a list":                     {[]string{`"a", W/"b,c" ,"v1"`}, 304},
		"a list without spaces":      {[]string{`"a","v1"`}, 304},
		"a list with empty elements": {[]string{` , "a",, "v1",`}, 304},
		"two headers":                {[]string{`"a"`, `"v1"`}, 304},
		"anything":                   {[]string{"*"}, 304},
		"the tag inside another":     {[]string{`"x v1"`}, 200},
		"without quotes":             {[]string{"v1"}, 200},
		"an open quote":              {[]string{`"v1`}, 200},
		"a weak nothing":             {[]string{"W/"}, 200},
		"a lower-case weak":          {[]string{`w/"v1"`}, 200},
		"two without a comma":        {[]string{`"a""v1"`}, 200},
		"empty":                      {[]string{""}, 200},
	} {
		for _, method := range []string{"GET", "HEAD"} {
			r := httptest.NewRequest(method, "/", nil)
			r.Header["If-None-Match"] = c.header
			w := httptest.NewRecorder()
			d.Write(w, r)
			if w.Code != c.status || w.Header().Get("ETag") != `"v1"` || w.Header().Get("Cache-Control") != "public, max-age=90" {
				t.Errorf("%s (%s %q): got %d %v, want %d", name, method, c.header, w.Code, w.Header(), c.status)
			}
			if body := w.Body.String(); (body == "{}") != (c.status == 200) || c.status == 304 && w.Header().Get("Content-Type") != "" {
				t.Errorf("%s: got %d with the body %q and the type %q", name, w.Code, body, w.Header().Get("Content-Type"))
			}
		}
	}
}

func TestEntityTagsFollowTheBytes(t *testing.T) {
	one, again, two := server.NewDocument("", []byte("a"), 0), server.NewDocument("", []byte("a"), 0), server.NewDocument("", []byte("b"), 0)
	if one.ETag != again.ETag || one.ETag == two.ETag || len(one.ETag) != 24 {
		t.Errorf("tags: %s, %s, %s", one.ETag, again.ETag, two.ETag)
	}
}

// FuzzIfNoneMatch: 304 is answered only to who named the tag or said *.
func FuzzIfNoneMatch(f *testing.F) {
	f.Add(`"a", W/"v1"`)
	f.Add(`*`)
	f.Add(`"v1`)
	f.Fuzz(func(t *testing.T, header string) {
		d := server.Document{ETag: `"v1"`}
		r := httptest.NewRequest("GET", "/", nil)
		r.Header["If-None-Match"] = []string{header}
		w := httptest.NewRecorder()
		d.Write(w, r)
		if w.Code == 304 && !strings.Contains(header, `"v1"`) && strings.Trim(header, " \t") != "*" {
			t.Errorf("%q: got 304", header)
		}
		r.Header["If-None-Match"] = []string{header, `"v1"`}
		w = httptest.NewRecorder()
		d.Write(w, r)
		if w.Code != 304 {
			t.Errorf("%q and the tag itself: got %d, want 304", header, w.Code)
		}
	})
}

package dialect_test

import (
	"bytes"
	"errors"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/dialect"
	"github.com/wattgate/wattgate/internal/oauth"
)

const urlencoded = "application/x-www-form-urlencoded"

// posted is a POST of a body whose length is known.
func posted(contentType, body string) *http.Request {
	r := httptest.NewRequest("POST", "/oauth2/token", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func TestReadForm(t *testing.T) {
	const part = "--x\r\nContent-Disposition: form-data; name=\"%\"\r\n\r\n"
	one := strings.Replace(part, "%", "scope", 1)
	for name, c := range map[string]struct {
		contentType, body string
		want              [][2]string // nil: refused
	}{
		"an urlencoded form":              {urlencoded, "scope=openid+offline&x=%26", [][2]string{{"scope", "openid offline"}, {"x", "&"}}},
		"with a charset":                  {urlencoded + "; charset=UTF-8", "scope=a", [][2]string{{"scope", "a"}}},
		"with another case":               {"Application/X-WWW-Form-Urlencoded", "scope=a", [][2]string{{"scope", "a"}}},
		"a name without a value":          {urlencoded, "scope", [][2]string{{"scope", ""}}},
		"separators alone":                {urlencoded, "&&", [][2]string{}},
		"nothing":                         {urlencoded, "", [][2]string{}},
		"an unknown field that repeats":   {urlencoded, "x=1&x=2", [][2]string{{"x", "1"}, {"x", "2"}}},
		"an audience that repeats":        {urlencoded, "audience=a&audience=b", [][2]string{{"audience", "a"}, {"audience", "b"}}},
		"a scope that repeats":            {urlencoded, "scope=a&scope=a", nil},
		"a semicolon is part of a value":  {urlencoded, "scope=a;b", [][2]string{{"scope", "a;b"}}},
		"a broken escape":                 {urlencoded, "scope=%4", nil},
		"bytes that are not UTF-8":        {urlencoded, "scope=%ff", nil},
		"a zero byte":                     {urlencoded, "scope=%00", nil},
		"a line break":                    {urlencoded, "scope=a%0ab", nil},
		"a multipart form":                {"multipart/form-data; boundary=x", one + "openid\r\n--x--\r\n", [][2]string{{"scope", "openid"}}},
		"quotes stay":                     {"multipart/form-data; boundary=x", one + "\"openid\"\r\n--x--", [][2]string{{"scope", `"openid"`}}},
		"percent stays":                   {"multipart/form-data; boundary=x", one + "%41\r\n--x--", [][2]string{{"scope", "%41"}}},
		"no parts":                        {"multipart/form-data; boundary=x", "--x--\r\n", [][2]string{}},
		"text around the parts":           {"multipart/form-data; boundary=x", "before\r\n" + one + "a\r\n--x--\r\nafter", [][2]string{{"scope", "a"}}},
		"an empty multipart body":         {"multipart/form-data; boundary=x", "", nil},
		"a part that just ends":           {"multipart/form-data; boundary=x", one + "openid", nil},
		"parts that just end":             {"multipart/form-data; boundary=x", one + "openid\r\n--x\r\n", nil},
		"a header that just ends":         {"multipart/form-data; boundary=x", one + "openid\r\n--x\r\nContent-Disposition: form-data", nil},
		"a file":                          {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=scope; filename=f\r\n\r\na\r\n--x--", nil},
		"a file in another spelling":      {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=scope; filename*=utf-8''f\r\n\r\na\r\n--x--", nil},
		"a part with a transfer encoding": {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=scope\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--x--", nil},
		"a part of another disposition":   {"multipart/form-data; boundary=x", "--x\r\nContent-Disposition: attachment; name=scope\r\n\r\na\r\n--x--", nil},
		"another multipart type":          {"multipart/mixed; boundary=x", one + "a\r\n--x--", nil},
		"JSON":                            {"application/json", "{}", nil},
		"no content type":                 {"", "scope=a", nil},
	} {
		f, err := dialect.ReadForm(posted(c.contentType, c.body))
		if c.want == nil {
			if e, ok := errors.AsType[*oauth.Error](err); f != nil || !ok || e.Code != oauth.InvalidRequest {
				t.Errorf("%s: ReadForm(%q) = %v, %v; want invalid_request", name, c.body, f, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: ReadForm(%q): %v", name, c.body, err)
			continue
		}
		if got := f.Fields(); !(len(got) == 0 && len(c.want) == 0) && !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: ReadForm(%q) = %q, want %q", name, c.body, got, c.want)
		}
	}
}

// sound checks what is true of every form, and that nothing stands beside an error.
func sound(t *testing.T, f *dialect.Form, err error) {
	t.Helper()
	if err != nil {
		if e, ok := errors.AsType[*oauth.Error](err); f != nil || !ok || e.Code != oauth.InvalidRequest || e.Description == "" {
			t.Fatalf("got %v beside the error %v", f, err)
		}
		return
	}
	fields := f.Fields()
	if len(fields) > 16 {
		t.Fatalf("%d fields", len(fields))
	}
	seen := map[string]int{}
	for _, p := range fields {
		seen[p[0]]++
		if len(p[0]) > 4<<10 || len(p[1]) > 4<<10 {
			t.Fatalf("a parameter of %d and %d bytes", len(p[0]), len(p[1]))
		}
		for _, s := range p {
			if !utf8.ValidString(s) || strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("the parameter %q is not clean", p)
			}
		}
	}
	for _, name := range []string{"grant_type", "scope", "client_id", "client_secret"} {
		if seen[name] > 1 {
			t.Fatalf("%s stands %d times", name, seen[name])
		}
	}
}

// same checks that a form that was built anew is read the same.
func same(t *testing.T, f *dialect.Form, contentType, body string) {
	t.Helper()
	again, err := dialect.ReadForm(posted(contentType, body))
	if err != nil {
		t.Fatalf("%q was read, and built anew as %q is refused: %v", f.Fields(), body, err)
	}
	if got, want := again.Fields(), f.Fields(); !reflect.DeepEqual(got, want) {
		t.Fatalf("built anew it is %q, want %q", got, want)
	}
}

func FuzzForm(f *testing.F) {
	for _, seed := range []string{
		"", "&", "=", "grant_type=client_credentials&client_id=a&client_secret=b", "scope=openid+offline&audience=a&audience=b",
		"scope=%2", "scope=%ff", "a=%00", "scope=1&scope=2", strings.Repeat("a=b&", 17), "x=" + strings.Repeat("y", 4097),
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		form, err := dialect.ReadForm(posted(urlencoded, body))
		sound(t, form, err)
		if err != nil {
			return
		}
		var pairs []string
		for _, p := range form.Fields() {
			pairs = append(pairs, url.QueryEscape(p[0])+"="+url.QueryEscape(p[1]))
		}
		same(t, form, urlencoded, strings.Join(pairs, "&"))
	})
}

func FuzzMultipart(f *testing.F) {
	part := "--x\r\nContent-Disposition: form-data; name=\"%\"\r\n\r\n!\r\n"
	field := func(name, value string) string { return strings.NewReplacer("%", name, "!", value).Replace(part) }
	for _, seed := range []string{
		"", "--x--", field("scope", "openid") + "--x--\r\n", field("scope", "1") + field("scope", "2") + "--x--", field("scope", "1"),
		"--x\r\n\r\n\r\n--x--", strings.Repeat(field("a", "b"), 17) + "--x--", field("a", strings.Repeat("y", 4097)) + "--x--",
		"--x\r\nContent-Disposition: form-data; name=a; filename=b\r\n\r\n\r\n--x--", field("=?utf-8?q?a?=", "b") + "--x--",
		"--x\nContent-Disposition: form-data; name*=utf-8''%41\n\nb\n--x--",
	} {
		f.Add("x", seed)
	}
	f.Add("", "--\r\n\r\n----")
	f.Add(" x", "-- x--")
	f.Fuzz(func(t *testing.T, boundary, body string) {
		contentType := mime.FormatMediaType("multipart/form-data", map[string]string{"boundary": boundary})
		form, err := dialect.ReadForm(posted(contentType, body))
		sound(t, form, err)
		if err != nil || len(form.Fields()) == 0 {
			return
		}
		var b bytes.Buffer
		w := multipart.NewWriter(&b)
		for _, p := range form.Fields() {
			if err := w.WriteField(p[0], p[1]); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if b.Len() > 64<<10 {
			return
		}
		same(t, form, w.FormDataContentType(), b.String())
	})
}

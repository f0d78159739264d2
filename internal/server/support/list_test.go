package support_test

import (
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
)

// crowd is a registry with many applications.
type crowd struct {
	*registry.Registry
	picture *domain.Directory
}

func (c crowd) Directory() *domain.Directory { return c.picture }

// crowded puts applications into the picture: half of them are Alpha's, half Beta's,
// every hundredth is disabled, every tenth has a secret that runs out soon.
func (s *site) crowded(t testing.TB, alpha, beta domain.PartnerID, n int) {
	t.Helper()
	old := s.registry.Directory()
	picture := *old
	picture.Applications = map[domain.ClientID]*domain.Listing{}
	for i := range n {
		id := domain.ClientID(fmt.Sprintf("app_%016d", i))
		app := &domain.Listing{
			Application: domain.Application{
				ID: id, Name: fmt.Sprintf("Meter Reader %05d", n-i), Partner: alpha, Type: domain.Confidential, Role: domain.RoleThirdPartyViewer, Disabled: i%100 == 0,
			},
			Secrets: []domain.StoredSecret{{Client: id, CreatedAt: noon, ExpiresAt: noon.Add(365 * 24 * time.Hour)}},
		}
		if i%2 == 1 {
			app.Partner = beta
		}
		if i%10 == 5 {
			app.Secrets[0].ExpiresAt = noon.Add(24 * time.Hour)
		}
		picture.Applications[id] = app
	}
	s.shelf.unused = true
	s.host.Registry = crowd{s.registry, &picture}
}

var (
	listed = regexp.MustCompile(`<tr><td><a class="t" href="/support/applications/(app_[0-9]+)"><bdi>([^<]+)</bdi>`)
	next   = regexp.MustCompile(`<a href="([^"]+)" rel="next">`)
	before = regexp.MustCompile(`<a href="([^"]+)" rel="prev">`)
)

// TestTenThousandApplications: every one is found, by searching and by going on, and
// no page asks more of the store than its own lines need.
func TestTenThousandApplications(t *testing.T) {
	s := newSite(t, false)
	alpha, beta := s.partner(t, "Alpha"), s.partner(t, "Beta")
	value, ours := s.staff(t, "a@example.com", "", domain.OAuthManager), s.staff(t, "b@example.com", beta, domain.APIEngineer)
	for _, n := range []int{0, 1, 50, 51, 10_000} {
		s.crowded(t, alpha, beta, n)
		for name, c := range map[string]struct {
			who   domain.Secret
			query url.Values
			total int
		}{
			"all":                      {value, url.Values{}, n - (n+99)/100},
			"the disabled":             {value, url.Values{"state": {"disabled"}}, (n + 99) / 100},
			"those that run out":       {value, url.Values{"state": {"ending"}}, (n + 4) / 10},
			"found by name":            {value, url.Values{"q": {" reader 009"}}, map[int]int{10_000: 99}[n]},
			"found by name, one":       {value, url.Values{"q": {"READER 09999"}}, n / 10_000},
			"found by client ID":       {value, url.Values{"q": {"app_0000000000000007"}}, min(1, n/8)},
			"found by partner":         {ours, url.Values{"q": {"BETA"}}, n / 2},
			"another partner's":        {ours, url.Values{"q": {"alpha"}}, 0},
			"nothing":                  {value, url.Values{"q": {"%"}}, 0},
			"one partner's":            {ours, url.Values{}, n / 2},
			"from what is no number":   {value, url.Values{"state": {"disabled"}, "from": {"x"}}, (n + 99) / 100},
			"from before the first":    {value, url.Values{"state": {"disabled"}, "from": {"-50"}}, (n + 99) / 100},
			"from beyond any number":   {value, url.Values{"state": {"disabled"}, "from": {"99999999999999999999"}}, -1},
			"from beyond the last one": {value, url.Values{"from": {"1000000"}}, -1},
		} {
			seen, last := map[string]bool{}, ""
			at, pages := "/support/applications?"+c.query.Encode(), 0
			for at != "" {
				s.shelf.asked.Store(0)
				w := s.as(c.who, "GET", at, nil)
				body := w.Body.String()
				if pages++; w.Code != 200 || pages > 201 {
					t.Fatalf("%d, %s: got %d on page %d", n, name, w.Code, pages)
				}
				rows := listed.FindAllStringSubmatch(body, -1)
				if asked := s.shelf.asked.Load(); asked > int64(len(rows))+4 || len(rows) > 50 {
					t.Errorf("%d, %s: %d questions of the store for %d lines", n, name, asked, len(rows))
				}
				for _, row := range rows {
					if seen[row[1]] || row[2] <= last {
						t.Errorf("%d, %s: %s (%s) twice, or before %s", n, name, row[2], row[1], last)
					}
					seen[row[1]], last = true, row[2]
				}
				if c.total < 0 { // a page that does not exist is the last one, which leads back
					if n > 50 && (len(rows) == 0 || next.MatchString(body)) || n == 10_000 && name == "from beyond the last one" && !before.MatchString(body) {
						t.Errorf("%d, %s: got %d lines", n, name, len(rows))
					}
					break
				}
				if want := fmt.Sprintf("of %s", commas(c.total)); c.total > 0 && !strings.Contains(body, want) {
					t.Errorf("%d, %s: the page does not say %q", n, name, want)
				}
				if (pages > 1) != before.MatchString(body) {
					t.Errorf("%d, %s: page %d leads back: %t", n, name, pages, pages <= 1)
				}
				at = ""
				if m := next.FindStringSubmatch(body); m != nil && len(seen) < 200 || m != nil && name == "all" && n == 10_000 && pages%40 < 39 {
					at = strings.ReplaceAll(m[1], "&amp;", "&")
				} else if m == nil && len(seen) != c.total {
					t.Errorf("%d, %s: got %d, want %d", n, name, len(seen), c.total)
				}
			}
		}
	}
}

func commas(n int) string {
	if n >= 1000 {
		return fmt.Sprintf("%d,%03d", n/1000, n%1000)
	}
	return fmt.Sprint(n)
}

// BenchmarkTenThousandApplications is the first page of the list.
func BenchmarkTenThousandApplications(b *testing.B) {
	s := newSite(b, false)
	alpha, beta := s.partner(b, "Alpha"), s.partner(b, "Beta")
	value := s.staff(b, "a@example.com", "", domain.OAuthManager)
	s.crowded(b, alpha, beta, 10_000)
	for b.Loop() {
		if w := s.as(value, "GET", "/support/applications", nil); w.Code != 200 {
			b.Fatal(w.Code)
		}
	}
}

package registry

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/secret"
)

// PrefixMasquerade begins every masquerade token.
const PrefixMasquerade secret.Environment = "wg_masquerade_"

// Masquerade makes a token with which a member of staff looks on as a customer:
// once, for [domain.MasqueradeLifetime] at most from now to the end of the look,
// and without changing anything. by.User is who looks; where it is empty the
// platform's operator does. The reason stands in the audit log.
func (r *Registry) Masquerade(ctx context.Context, by By, id domain.UserID, reason string) (domain.Secret, time.Time, error) {
	reason = strings.TrimSpace(reason)
	if n := utf8.RuneCountInString(reason); n == 0 || n > 200 || strings.ContainsFunc(reason, func(c rune) bool { return !unicode.IsGraphic(c) }) {
		return domain.Secret{}, time.Time{}, invalid("a reason has 1 to 200 characters that can be seen")
	}
	u, err := r.Store.FindUser(ctx, id)
	if err != nil {
		return domain.Secret{}, time.Time{}, err
	}
	now := r.Now()
	text := secret.New(r.Chance, PrefixMasquerade)
	m := domain.Masquerade{
		Digest: sha256.Sum256([]byte(text.Reveal())), Partner: u.Partner, User: id, Staff: by.User, Until: now.Add(domain.MasqueradeLifetime),
	}
	if err := r.Store.AddMasquerade(ctx, m, now, r.entry(by, "user.masquerade", string(id), u.Partner, reason)); err != nil {
		return domain.Secret{}, time.Time{}, err
	}
	return text, m.Until, nil
}

// EndTokens ends everything that speaks for a customer of the partner, on this
// node when it returns: log-ins, browsers, what applications were allowed, and
// what was made by acting as them.
func (r *Registry) EndTokens(ctx context.Context, partner domain.PartnerID, id domain.UserID, from domain.Origin) error {
	by := By{User: id, Means: "the customer", Origin: from}
	return r.endingFor(ctx, nobody, partner, func(ctx context.Context, dead time.Time) error {
		now := r.Now()
		ended, err := r.Store.EndTokens(ctx, partner, id, dead, now, r.entry(by, "user.reauthenticate", string(id), partner, "third parties too"))
		if err != nil || r.Denied == nil {
			return err
		}
		for _, family := range ended {
			r.Denied.Add(domain.RevokeFamily(family, now), now)
		}
		return nil
	})
}

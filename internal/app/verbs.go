package app

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
)

// verb is one administrative act.
type verb func(ctx context.Context, a *App, in []byte) (any, error)

// verbs is the table of all administrative acts.
var verbs = map[string]verb{
	"partner.create":  typed(createPartner),
	"partner.list":    typed(listPartners),
	"partner.disable": typed(disablePartner(true)),
	"partner.enable":  typed(disablePartner(false)),
	"user.disable":    typed(disableUser(true)),
	"user.enable":     typed(disableUser(false)),
	"user.create":     typed(createUser),
	"user.list":       typed(listUsers),
	"user.show":       typed(showUser),
	"user.password":   typed(setPassword),
	"user.unenrol":    typed(unenrol),
	"user.masquerade": typed(masquerade),
	"property.create": typed(createProperty),
	"app.create":      typed(createApp),
	"app.list":        typed(listApps),
	"app.show":        typed(showApp),
	"app.disable":     typed(disableApp(true)),
	"app.enable":      typed(disableApp(false)),
	"app.keys.set":    typed(setAppKeys),
	"document.add":    typed(addDocument),
	"document.list":   typed(listDocuments),
	"document.remove": typed(removeDocument),
	"document.only":   typed(trustDocuments),
	"secret.list":     typed(listSecrets),
	"secret.add":      typed(addSecret),
	"secret.replace":  typed(replaceSecret),
	"secret.retire":   typed(retireSecret),
	"secret.handover": typed(handOverSecret),
	"consent.list":    typed(listConsents),
	"consent.revoke":  typed(revokeConsent),
	"keys.list":       typed(listKeys),
	"keys.rotate":     typed(rotateKeys),
	"role.list":       typed(listRoles),
	"role.show":       typed(showRole),
	"role.set":        typed(setRole),
	"role.check":      typed(checkRoles),
	"audit.list":      typed(listAudit),
	"audit.verify":    typed(verifyAudit),
}

// typed reads the argument of a verb; an unknown field is a mistake.
func typed[In, Out any](f func(context.Context, *App, In) (Out, error)) verb {
	return func(ctx context.Context, a *App, body []byte) (any, error) {
		var in In
		d := json.NewDecoder(strings.NewReader(string(body)))
		d.DisallowUnknownFields()
		if err := d.Decode(&in); err != nil {
			return nil, &domain.Error{Kind: domain.Invalid, Public: "the argument of the verb cannot be read", Err: err}
		}
		return f(ctx, a, in)
	}
}

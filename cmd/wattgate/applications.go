package main

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/wattgate/wattgate/internal/app"
)

func appCommand(w world) *cobra.Command {
	one := application
	by := func(use, short, verb string) *cobra.Command {
		return adminCommand(w, &cobra.Command{Use: use + " APP", Short: short, Args: cobra.ExactArgs(1)}, verb, named, one)
	}
	return group("app", "OAuth applications and their secrets",
		appCreateCommand(w),
		adminCommand(w, &cobra.Command{Use: "list", Short: "List all applications"}, "app.list", nothing, applications),
		by("show", "Show an application", "app.show"),
		by("disable", "Disable an application and end all its tokens", "app.disable"),
		by("enable", "Enable an application again", "app.enable"),
		secretCommand(w),
		appKeysCommand(w, one),
		documentCommand(w, one),
	)
}

func appCreateCommand(w world) *cobra.Command {
	var in app.AppCreate
	var expires, lifetime, keys string
	cmd := &cobra.Command{Use: "create", Short: "Create an application; its secret is shown once"}
	f := cmd.Flags()
	f.StringVar(&in.Name, "name", "", "name of the application (required)")
	f.StringVar(&in.Partner, "partner", "", "partner by id or name (required)")
	f.StringVar(&in.Role, "role", "", "API role, for example THIRD_PARTY_UTILITY_USAGE_DATA_VIEWER (required)")
	f.StringVar(&in.Reach, "reach", "partner", "partner: all its supply points; consented: only those whose customer agreed")
	f.StringVar(&in.Type, "type", "Confidential", "client type: Confidential or Public")
	f.StringSliceVar(&in.Grants, "grant", []string{"client_credentials"}, "grant types; may repeat: client_credentials, authorization_code, refresh_token, urn:ietf:params:oauth:grant-type:device_code")
	f.StringSliceVar(&in.URIs, "uri", nil, "allowed redirect URIs; client credentials need none")
	f.BoolVar(&in.SkipAuthorization, "skip-authorization", false, "do not ask the customer (devices, public applications and --reach consented ask all the same)")
	f.StringSliceVar(&in.Audiences, "audience", nil, "APIs that its tokens open: auth, customer, measurements; default: those the role has a use for")
	f.StringVar(&lifetime, "lifetime", "", "of its tokens, 60s to 60m; default: 5m with CAN_IMPERSONATE, otherwise 60m")
	f.StringVar(&in.AuthMethod, "auth-method", "", "pin to client_secret_basic, client_secret_post, private_key_jwt, tls_client_auth or self_signed_tls_client_auth")
	f.StringVar(&keys, "jwks", "", "file with the application's public keys (JWKS), for private_key_jwt, or with its certificates (x5c), for self_signed_tls_client_auth; there is no secret then")
	f.StringVar(&in.TLSSubject, "tls-subject", "", "of its certificate, for tls_client_auth: CN=…,O=…, or dns:NAME, uri:URI, ip:ADDRESS, email:ADDRESS; there is no secret then")
	f.BoolVar(&in.FAPI, "fapi", false, "FAPI 2.0: private_key_jwt or a client certificate, every token bound by DPoP or certificate, ten minutes at most")
	f.StringVar(&expires, "expires", "", "of the secret, for example 90d, 12mo or never; default: 12mo")
	need(cmd, "name", "partner", "role")
	return adminCommand(w, cmd, "app.create", func([]string) (any, error) {
		span, err := seconds(lifetime)
		if err != nil {
			return nil, err
		}
		in.Lifetime = int(span)
		if keys != "" {
			text, err := os.ReadFile(keys)
			if err != nil {
				return nil, err
			}
			in.Keys = string(text)
		}
		in.Expires, err = seconds(expires)
		return in, err
	}, issued(w))
}

// issued shows a new secret: here and never again.
func issued(w world) func(app.Issued) table {
	return func(i app.Issued) table {
		if i.Secret != "" {
			_, _ = fmt.Fprintln(w.err, "The secret is shown once, here. Nobody can show it again.") // nobody is left to tell
		}
		return table{
			columns: []string{"client_id", "client_secret", "name", "role", "permissions"},
			rows: [][]string{{
				string(i.Application.ID), i.Secret, i.Application.Name, string(i.Application.Role), strings.Join(i.Application.Permissions, " "),
			}},
		}
	}
}

func applications(list []app.ApplicationView) table {
	t := table{columns: []string{"client_id", "name", "partner", "role", "permissions", "reach", "audiences", "lifetime", "state"}}
	for _, v := range list {
		t.rows = append(t.rows, []string{
			string(v.ID), v.Name, string(v.Partner), string(v.Role), strings.Join(v.Permissions, " "), string(v.Reach),
			strings.Join(v.Audiences, " "), fmt.Sprintf("%d s", v.Lifetime), state(v.Disabled),
		})
	}
	return t
}

// application is one of them, with how much it is used.
func application(v app.ApplicationView) table {
	t := applications([]app.ApplicationView{v})
	if v.Use == nil {
		return t
	}
	t.columns = append(t.columns, "tokens", "this hour", "24 hours", "last used")
	t.rows[0] = append(t.rows[0], fmt.Sprint(v.Use.Tokens), fmt.Sprint(v.Use.Hour), fmt.Sprint(v.Use.Day), moment(v.Use.LastUsed))
	return t
}

func secretCommand(w world) *cobra.Command {
	var overlap, addExpires, replaceExpires, handoverOverlap string
	add := &cobra.Command{Use: "add APP", Short: "Add a second secret; the old one works until the overlap is over", Args: cobra.ExactArgs(1)}
	add.Flags().StringVar(&overlap, "overlap", "", "how long the old secret still works, for example 24h or 7d (required)")
	need(add, "overlap")
	add.Flags().StringVar(&addExpires, "expires", "", "of the new secret; default: 12mo")
	replace := &cobra.Command{Use: "replace APP", Short: "Replace the secret; the old one and its tokens stop at once", Args: cobra.ExactArgs(1)}
	replace.Flags().StringVar(&replaceExpires, "expires", "", "of the new secret; default: 12mo")
	handover := &cobra.Command{Use: "handover APP", Short: "Make a link that shows the developer a new secret, once", Args: cobra.ExactArgs(1)}
	handover.Flags().StringVar(&handoverOverlap, "overlap", "", "how long the old secret still works when the link is opened; default: it stops")
	return group("secret", "Secrets of an application",
		adminCommand(w, &cobra.Command{Use: "list APP", Short: "List what is known of the secrets", Args: cobra.ExactArgs(1)}, "secret.list", named, secrets),
		adminCommand(w, add, "secret.add", func(args []string) (any, error) {
			o, err := seconds(overlap)
			if err != nil {
				return nil, err
			}
			e, err := seconds(addExpires)
			return app.SecretChange{ID: args[0], Overlap: o, Expires: e}, err
		}, issued(w)),
		adminCommand(w, replace, "secret.replace", func(args []string) (any, error) {
			e, err := seconds(replaceExpires)
			return app.SecretChange{ID: args[0], Expires: e}, err
		}, issued(w)),
		adminCommand(w, &cobra.Command{Use: "retire APP SECRET", Short: "Stop one secret now", Args: cobra.ExactArgs(2)}, "secret.retire",
			func(args []string) (any, error) { return app.SecretChange{ID: args[0], Secret: args[1]}, nil }, secrets),
		adminCommand(w, handover, "secret.handover", func(args []string) (any, error) {
			o, err := seconds(handoverOverlap)
			return app.SecretChange{ID: args[0], Overlap: o}, err
		}, func(v app.HandoverView) table {
			_, _ = fmt.Fprintln(w.err, "Whoever opens the link first sees the secret, and nobody after them.") // nobody is left to tell
			return table{columns: []string{"client_id", "link", "until"}, rows: [][]string{{string(v.ID), v.Link, v.Until.UTC().Format(time.RFC3339)}}}
		}),
	)
}

func secrets(list []app.SecretView) table {
	t := table{columns: []string{"secret", "ends in", "state", "tokens", "this hour", "24 hours", "last used", "added", "stops", "expires"}}
	for _, s := range list {
		t.rows = append(t.rows, []string{
			string(s.ID), "…" + s.Hint, s.State, fmt.Sprint(s.Tokens), fmt.Sprint(s.Hour), fmt.Sprint(s.Day), moment(s.LastUsed), moment(&s.Created), moment(s.Stops), moment(s.Expires),
		})
	}
	return t
}

func roleCommand(w world) *cobra.Command {
	var permissions []string
	set := &cobra.Command{Use: "set ROLE", Short: "Attach exactly these permissions to a role", Args: cobra.ExactArgs(1)}
	set.Flags().StringSliceVar(&permissions, "permission", nil, "API permission; may repeat")
	show := &cobra.Command{Use: "show ROLE", Short: "Show a role", Args: cobra.ExactArgs(1)}
	return group("role", "API roles and their permissions",
		adminCommand(w, &cobra.Command{Use: "list", Short: "List all API roles"}, "role.list", nothing, roles),
		adminCommand(w, show, "role.show", named,
			func(r app.RoleView) table { return roles([]app.RoleView{r}) }),
		adminCommand(w, set, "role.set", func(args []string) (any, error) {
			return app.RoleSet{Name: args[0], Permissions: permissions}, nil
		}, roles),
		roleCheckCommand(w),
	)
}

// roleCheckCommand is the manual's step 12 (K14): it fails while a documented
// role differs from the documents.
func roleCheckCommand(w world) *cobra.Command {
	var format string
	var repair bool
	cmd := &cobra.Command{
		Use: "check", Short: "Hold the documented roles against the documents", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			list, err := do[[]app.RoleView](cmd, w, "role.check", app.RoleCheckRequest{Repair: repair})
			if err != nil {
				return err
			}
			if err := print(w.out, format, list, roles(list)); err != nil {
				return err
			}
			for _, r := range list {
				if len(r.Missing)+len(r.Extra) > 0 {
					return fmt.Errorf("%s is not as documented; role check --repair makes it so", r.Name)
				}
			}
			return nil
		},
	}
	settingFlags(cmd, "data", "database")
	outputFlag(cmd, &format)
	cmd.Flags().BoolVar(&repair, "repair", false, "attach exactly the documented permissions")
	return cmd
}

func roles(list []app.RoleView) table {
	t := table{columns: []string{"role", "permissions", "check"}}
	for _, r := range list {
		check := ""
		if r.Documented {
			check = "as documented"
		}
		if len(r.Missing) > 0 {
			check = "missing " + strings.Join(r.Missing, " ")
		}
		if len(r.Extra) > 0 {
			check = strings.TrimPrefix(check+", extra "+strings.Join(r.Extra, " "), "as documented, ")
		}
		t.rows = append(t.rows, []string{string(r.Name), strings.Join(r.Permissions, " "), check})
	}
	return t
}

package support

import (
	"net/http"
	"slices"
	"strings"

	"github.com/wattgate/wattgate/internal/domain"
	"github.com/wattgate/wattgate/internal/registry"
	"github.com/wattgate/wattgate/internal/server"
)

// roleWords say what each permission lets an application do.
var roleWords = map[domain.Permission]string{
	domain.CanQueryProperty:      "Find properties and their supply points",
	domain.CanViewDetailedUsage:  "Read interval measurements of a supply point",
	domain.CanViewPersonalData:   "See names, e-mail and addresses",
	domain.CanImpersonate:        "Act as a customer for one hour",
	domain.CanManageCustomers:    "Create and change customers",
	domain.CanSubmitMeasurements: "Hand in measurements",
	domain.CanManageWebhooks:     "Manage its own web hooks",
}

// roleView says in plain words what a role can do and what it cannot.
type roleView struct {
	Name  domain.RoleName
	Lines []roleLine
	Risk  string
	Tone  string
}

type roleLine struct {
	May        bool
	Text, Code string
}

func plainly(role domain.Role) roleView {
	v := roleView{Name: role.Name, Risk: "Reads only", Tone: "acc"}
	for _, p := range domain.AllPermissions().List() {
		v.Lines = append(v.Lines, roleLine{role.Permissions.Has(p), roleWords[p], p.String()})
	}
	slices.SortStableFunc(v.Lines, func(a, b roleLine) int {
		switch {
		case a.May == b.May:
			return 0
		case a.May:
			return -1
		}
		return 1
	})
	switch {
	case role.Permissions.Has(domain.CanImpersonate):
		v.Risk, v.Tone = "Acts as customers", "bad"
	case role.Permissions.Has(domain.CanManageCustomers), role.Permissions.Has(domain.CanSubmitMeasurements):
		v.Risk, v.Tone = "Changes data", "warn"
	case role.Permissions == 0:
		v.Risk, v.Tone = "Nothing", ""
	}
	return v
}

// rolesView is the page of roles and permissions.
type rolesView struct {
	shellView
	Roles     []domain.Role
	Holders   map[domain.RoleName]int
	Rows      []matrixRow
	Checks    []registry.RoleCheck
	MayChange bool
	Edit      *editView
	Confirm   confirmView
	Wrong     string
}

type matrixRow struct {
	Text, Code string
	Holds      []bool
}

// editView is a role that is being changed, and what the change would do.
type editView struct {
	Role    domain.Role
	Was     string // what it held when the page was opened
	Boxes   []option
	Review  bool // what would change is shown
	Gains   []string
	Loses   []string
	Holders int
}

// roles shows the matrix, and a role to be changed where one is named.
func (h *Host) roles(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	return h.showRoles(w, r, call, http.StatusOK, domain.RoleName(r.URL.Query().Get("edit")), nil, "")
}

func (h *Host) showRoles(w http.ResponseWriter, r *http.Request, call *server.Call, status int, edit domain.RoleName, f fields, wrong string) error {
	v := rolesView{shellView: h.shell(call, "Roles and permissions", "roles"), Holders: map[domain.RoleName]int{}, Wrong: wrong}
	// A role is the same for all partners: only the platform's staff change it.
	v.MayChange = call.Person.Permissions.Has(domain.OAuthManager) && call.Person.Partner == ""
	var err error
	if v.Roles, err = h.Shelf.Roles(r.Context()); err != nil {
		return err
	}
	for _, app := range h.Registry.Directory().Applications {
		if sees(call.Person, app.Partner) {
			v.Holders[app.Role]++
		}
	}
	for _, p := range domain.AllPermissions().List() {
		row := matrixRow{Text: roleWords[p], Code: p.String()}
		for _, role := range v.Roles {
			row.Holds = append(row.Holds, role.Permissions.Has(p))
		}
		v.Rows = append(v.Rows, row)
	}
	if v.Checks, err = h.Registry.CheckRoles(r.Context()); err != nil {
		return err
	}
	if edit != "" && v.MayChange {
		i := slices.IndexFunc(v.Roles, func(x domain.Role) bool { return x.Name == edit })
		if i < 0 {
			return &domain.Error{Kind: domain.NotFound, Public: "There is no such API role."}
		}
		v.Edit = editOf(v.Roles[i], f, v.Holders[edit])
	}
	if v.Confirm, err = h.confirm(r.Context(), call, ""); err != nil {
		return err
	}
	return h.site(w, r, status, rolesPage(v))
}

func editOf(role domain.Role, f fields, holders int) *editView {
	v := &editView{Role: role, Was: strings.Join(role.Permissions.Names(), " "), Review: f != nil, Holders: holders}
	for _, p := range domain.AllPermissions().List() {
		chosen := role.Permissions.Has(p)
		if f != nil {
			chosen = slices.Contains(f["permission"], p.String())
		}
		v.Boxes = append(v.Boxes, option{p.String(), roleWords[p], chosen})
		switch {
		case chosen && !role.Permissions.Has(p):
			v.Gains = append(v.Gains, p.String())
		case !chosen && role.Permissions.Has(p):
			v.Loses = append(v.Loses, p.String())
		}
	}
	return v
}

// setRole shows what a change of a role would do, and makes it when it was seen.
func (h *Host) setRole(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	name := domain.RoleName(r.PathValue("name"))
	if err := platformOnly(call); err != nil {
		return err
	}
	permissions, err := domain.ParsePermissions(f["permission"])
	if err != nil {
		return err
	}
	if f.get("decision") != "save" {
		return h.showRoles(w, r, call, http.StatusOK, name, f, "")
	}
	return h.changeRole(w, r, call, f, domain.Role{Name: name, Permissions: permissions})
}

// repairRole attaches to a documented role exactly what the documents say (K14).
func (h *Host) repairRole(w http.ResponseWriter, r *http.Request, call *server.Call) error {
	f, err := form(w, r)
	if err != nil {
		return err
	}
	if err := platformOnly(call); err != nil {
		return err
	}
	for _, role := range domain.DocumentedRoles() {
		if string(role.Name) == r.PathValue("name") {
			return h.changeRole(w, r, call, f, role)
		}
	}
	return &domain.Error{Kind: domain.NotFound, Public: "The documents know no such API role."}
}

func platformOnly(call *server.Call) error {
	if call.Person.Partner != "" {
		return &domain.Error{Kind: domain.Forbidden, Public: "API roles are the same for all partners. Only the platform's own staff change them."}
	}
	return nil
}

// changeRole makes the change, unless somebody else has made one since the page
// was opened.
func (h *Host) changeRole(w http.ResponseWriter, r *http.Request, call *server.Call, f fields, role domain.Role) error {
	ask, sentence, err := h.confirmed(w, r, call, f)
	if err != nil {
		return err
	}
	if ask {
		return h.showRoles(w, r, call, http.StatusForbidden, role.Name, f, sentence)
	}
	was, known := h.Registry.Directory().Roles[role.Name]
	if _, given := f["was"]; given && known && f.get("was") != strings.Join(was.Names(), " ") {
		return h.showRoles(w, r, call, http.StatusConflict, role.Name, nil, "Somebody else has changed this role since you opened it, so nothing was saved. This is how it is now.")
	}
	err = h.Registry.SetRole(r.Context(), by(call), role)
	if status, sentence, told := retold(w, call, err); told {
		return h.showRoles(w, r, call, status, role.Name, f, sentence)
	}
	if err != nil {
		return err
	}
	server.SeeOther(w, "/support/roles")
	return nil
}

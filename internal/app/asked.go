package app

// What verbs take.
type (
	// Named names an object by its identifier, or by its name where that is unique.
	Named struct {
		ID string `json:"id"`
	}
	// UserCreate is a new user.
	UserCreate struct {
		Partner        string   `json:"partner"`
		Email          string   `json:"email"`
		FirstName      string   `json:"firstName"`
		MiddleName     string   `json:"middleName"`
		Surname        string   `json:"surname"`
		Phone          string   `json:"phone"`
		BirthDate      string   `json:"birthDate"`
		CustomerNumber string   `json:"customerNumber"`
		Customer       bool     `json:"customer"`
		Staff          bool     `json:"staff"`
		Permissions    []string `json:"permissions"`
		Password       string   `json:"password"`
	}
	// UserList filters users.
	UserList struct {
		Partner string `json:"partner"`
		Email   string `json:"email"`
	}
	// UserPassword is a new password.
	UserPassword struct {
		ID       string `json:"id"`
		Password string `json:"password"`
	}
	// PropertyCreate is a new property.
	PropertyCreate struct {
		Partner  string   `json:"partner"`
		Account  string   `json:"account"`
		Label    string   `json:"label"`
		Address  []string `json:"address"`
		Postcode string   `json:"postcode"`
		Zone     string   `json:"timezone"`
	}
	// AppCreate is a new application.
	AppCreate struct {
		Name              string   `json:"name"`
		Partner           string   `json:"partner"`
		Type              string   `json:"type"`
		Grants            []string `json:"grants"`
		URIs              []string `json:"uris"`
		SkipAuthorization bool     `json:"skipAuthorization"`
		Reach             string   `json:"reach"`
		Role              string   `json:"role"`
		Audiences         []string `json:"audiences"`
		Lifetime          int      `json:"lifetime"` // seconds; 0: the role's default
		AuthMethod        string   `json:"authMethod"`
		Keys              string   `json:"jwks"` // a JSON Web Key Set, for private_key_jwt
		TLSSubject        string   `json:"tlsSubject"`
		FAPI              bool     `json:"fapi"`
		Expires           int64    `json:"expires"` // seconds; 0: twelve months; negative: never
	}
	// SecretChange names an application, and what its verb needs besides.
	SecretChange struct {
		ID      string `json:"id"`
		Secret  string `json:"secret"`  // retire: which
		Overlap int64  `json:"overlap"` // add: seconds
		Expires int64  `json:"expires"` // seconds; 0: twelve months; negative: never
	}
	// RoleSet attaches permissions to a role.
	RoleSet struct {
		Name        string   `json:"name"`
		Permissions []string `json:"permissions"`
	}
	// RoleCheckRequest asks for the check of step 12, and for its repair.
	RoleCheckRequest struct {
		Repair bool `json:"repair"`
	}
)

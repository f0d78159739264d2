package domain

import "time"

// User is a person. A customer belongs to exactly one partner. A member of
// staff has a scope: one partner, or, where Partner is empty, the platform. A
// user need not be a customer, and one person may be both.
type User struct {
	ID             UserID
	Partner        PartnerID
	Customer       bool
	Staff          bool
	Permissions    StaffPermissions // of staff, on the support site
	Email          string
	FirstName      string
	MiddleName     string
	Surname        string
	Phone          string
	BirthDate      Date // of customers
	CustomerNumber string
	Disabled       bool
	RevokedBefore  time.Time
	CreatedAt      time.Time
}

// Account is a customer's account with the partner; properties hang on it.
type Account struct {
	Number  AccountNumber
	Partner PartnerID
	User    UserID
}

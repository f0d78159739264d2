package domain

// Reader is an application that a customer has allowed to read.
type Reader struct {
	Application ClientID
	Name        string
}

// ReaderFilter says which readers are asked for: of what a person has allowed at an
// instant. Account and Application narrow it where they are set.
type ReaderFilter struct {
	Partner     PartnerID
	User        UserID
	Account     AccountNumber
	Application ClientID
}

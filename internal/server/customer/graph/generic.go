package graph

import (
	"errors"
	"io"
)

// GenericScalar is any JSON value, as the text that it is written as.
type GenericScalar string

// MarshalGQL writes the value.
func (s GenericScalar) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, string(s)) }

// UnmarshalGQL refuses every value: no argument has the type.
func (*GenericScalar) UnmarshalGQL(any) error {
	return errors.New("a GenericScalar is an answer, and no argument")
}

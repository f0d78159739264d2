package graph

import (
	"bytes"
	"encoding/json"
	"io"

	"github.com/99designs/gqlgen/graphql"
)

// JSONString is a JSON object, which clients send as text or as it is.
type JSONString map[string]any

// MarshalJSONString writes the object as text.
func MarshalJSONString(v JSONString) graphql.Marshaler {
	return graphql.WriterFunc(func(w io.Writer) {
		inner, _ := json.Marshal(map[string]any(v)) // it was JSON before
		outer, _ := json.Marshal(string(inner))
		_, _ = w.Write(outer) // a buffer
	})
}

// UnmarshalJSONString takes a JSON object, or one in a string. Numbers keep
// their text.
func UnmarshalJSONString(v any) (JSONString, error) {
	switch v := v.(type) {
	case map[string]any:
		return v, nil
	case string:
		d := json.NewDecoder(bytes.NewReader([]byte(v)))
		d.UseNumber()
		var object map[string]any
		if err := d.Decode(&object); err != nil {
			return nil, invalid("the JSONString is no JSON object")
		}
		if _, err := d.Token(); err != io.EOF {
			return nil, invalid("the JSONString has more than one value")
		}
		return object, nil
	}
	return nil, invalid("a JSONString is a JSON object, or one in a string")
}

package demo

import (
	"encoding/xml"
	"errors"
	"io"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// form is one form of a page with its first willing button pressed.
type form struct {
	action, method string
	fields         url.Values
	selecting      string // the name of the list whose choices follow
	pressed        bool
}

// unwilling is what stands on a button that this person does not press.
var unwilling = regexp.MustCompile(`(?i)deny|cancel|refuse|reject|decline|do not|don't|log ?out|sign ?out|\bno\b`)

// fill finds the first form of a page that can be sent with good will.
func (p *Person) fill(t testing.TB, page string) (form, bool) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var f *form
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return form{}, false
		}
		if err != nil {
			t.Fatalf("a page that cannot be read: %v\n%s", err, page)
		}
		switch e := token.(type) {
		case xml.StartElement:
			at := attributes(e)
			switch {
			case e.Name.Local == "form":
				f = &form{action: at["action"], method: at["method"], fields: url.Values{}}
			case f != nil && e.Name.Local == "button":
				text, err := d.Token()
				if err != nil {
					t.Fatal(err)
				}
				words, _ := text.(xml.CharData)
				f.press(at, string(words))
			case f != nil && e.Name.Local == "input":
				p.enter(f, at)
			case f != nil && e.Name.Local == "select":
				f.selecting = at["name"]
			case f != nil && e.Name.Local == "option":
				if _, selected := at["selected"]; selected || !f.fields.Has(f.selecting) {
					f.fields.Set(f.selecting, at["value"])
				}
			}
		case xml.EndElement:
			if e.Name.Local == "form" && f != nil {
				if f.pressed {
					return *f, true
				}
				f = nil
			}
		}
	}
}

func attributes(e xml.StartElement) map[string]string {
	at := map[string]string{}
	for _, a := range e.Attr {
		at[a.Name.Local] = a.Value
	}
	return at
}

// press presses a button, if it is the first willing one.
func (f *form) press(at map[string]string, words string) {
	if f.pressed || at["type"] == "button" || at["type"] == "reset" || unwilling.MatchString(words+" "+at["value"]) {
		return
	}
	f.pressed = true
	if at["name"] != "" {
		f.fields.Add(at["name"], at["value"])
	}
}

// enter writes what a field asks for, and ticks every box.
func (p *Person) enter(f *form, at map[string]string) {
	name, value := at["name"], at["value"]
	switch at["type"] {
	case "submit":
		f.press(at, value)
		return
	case "email":
		value = p.Email
	case "password":
		value = p.Password
	case "checkbox":
		if value == "" {
			value = "on"
		}
	case "radio":
		if f.fields.Has(name) {
			if _, checked := at["checked"]; !checked {
				return
			}
			f.fields.Del(name)
		}
	case "hidden":
	default:
		switch {
		case strings.Contains(name, "mail") || name == "username":
			value = p.Email
		case strings.Contains(name, "code") && value == "":
			value = p.Code
		}
	}
	if name != "" {
		f.fields.Add(name, value)
	}
}

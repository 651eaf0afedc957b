package fact

import "testing"

// Names of one making are of one kind, whatever their numbers and random parts.
func TestKeyKind(t *testing.T) {
	for name, want := range map[string]string{
		"web-k2": "web-k#", "web-k13": "web-k#", "svc-key-9": "svc-key-#", "9f86d081": "#", "AKIAIOSFODNN7EXAMPLE": "AKIA#", "ASIAIOSFODNN7EXAMPLE": "ASIA#", "AKIAIOSFODNN7EXAMPL": "#", "main": "main",
		"2f1d9c3e-77aa-4b1e-9e0a-5d6f7a8b9c0d": "#-#-#-#-#",
	} {
		if got := KeyKind(name); got != want {
			t.Errorf("KeyKind(%q) = %q, want %q", name, got, want)
		}
	}
}

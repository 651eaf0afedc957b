package wire

import (
	"encoding/binary"
	"maps"
	"math"
	"slices"
)

// AppendVarints appends signed numbers, one after the other.
func AppendVarints(b []byte, list ...int64) []byte {
	for _, v := range list {
		b = binary.AppendVarint(b, v)
	}
	return b
}

// AppendFloat32 appends the four bytes of v.
func AppendFloat32(b []byte, v float32) []byte {
	return binary.LittleEndian.AppendUint32(b, math.Float32bits(v))
}

// AppendFloat64 appends the eight bytes of v.
func AppendFloat64(b []byte, v float64) []byte {
	return binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
}

// AppendBool appends a byte, 1 or 0.
func AppendBool(b []byte, v bool) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

// AppendBytes appends the length of v and v.
func AppendBytes(b, v []byte) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// AppendText appends the length of v in bytes and v.
func AppendText(b []byte, v string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(v))), v...)
}

// AppendList appends the length of a list and, by each, its elements.
func AppendList[T any](b []byte, list []T, each func(b []byte, v *T) []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(list)))
	for i := range list {
		b = each(b, &list[i])
	}
	return b
}

// AppendTextMap appends the length of a map and its pairs of texts, sorted by
// key.
func AppendTextMap(b []byte, m map[string]string) []byte {
	b = binary.AppendUvarint(b, uint64(len(m)))
	for _, key := range slices.Sorted(maps.Keys(m)) {
		b = AppendText(AppendText(b, key), m[key])
	}
	return b
}

// AppendOptional appends whether there is a number, and the number.
func AppendOptional(b []byte, v *float64) []byte {
	if v == nil {
		return AppendBool(b, false)
	}
	return AppendFloat64(AppendBool(b, true), *v)
}

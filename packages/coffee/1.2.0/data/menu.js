// Prices are in fen.
const menu = [
  { id: 'espresso', name: 'Espresso', price: 1800 },
  { id: 'flat-white', name: 'Flat white', price: 2600 },
  { id: 'filter', name: 'Filter of the day', price: 2200 },
  { id: 'oat-latte', name: 'Oat latte', price: 2900 },
  { id: 'cold-brew', name: 'Cold brew', price: 3000 },
]

// What a size adds to the price, in fen.
const sizes = [
  { id: 's', name: 'Small', extra: 0 },
  { id: 'm', name: 'Medium', extra: 400 },
  { id: 'l', name: 'Large', extra: 700 },
]

module.exports = { menu, sizes }

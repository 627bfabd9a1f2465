// Prices are in fen.
const menu = [
  { id: 'espresso', name: 'Espresso', price: 1800 },
  { id: 'flat-white', name: 'Flat white', price: 2600 },
  { id: 'filter', name: 'Filter of the day', price: 2200 },
]

module.exports = { menu }

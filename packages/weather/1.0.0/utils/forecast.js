const SKIES = ['sunny', 'cloudy', 'rain', 'wind']

// A stand-in for a weather service: the same city and day give the same weather.
function forecast(city, day) {
  const seed = [...city].reduce((sum, letter) => sum + letter.charCodeAt(0), day * 7)
  return { day, sky: SKIES[seed % SKIES.length], high: 12 + (seed % 18), low: 4 + (seed % 9) }
}

module.exports = { forecast }
